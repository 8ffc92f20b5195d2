"""Labels and predictions that come from elsewhere, or are taken away: tables, directories of pictures, ZIP files."""
