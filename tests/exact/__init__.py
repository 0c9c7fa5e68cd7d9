"""The differential test of counting: logcount's counts beside those of plain `tokenizers`, over texts of every kind."""
