"""What the API takes and gives, one file per subject. Columns hold object paths; URLs are signed when read."""
