"""The values that rooms pass to each other; of other rooms they import only `calibration` and `jsontext`."""
