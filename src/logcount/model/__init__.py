"""The values that are passed from room to room; they import nothing but one another."""
