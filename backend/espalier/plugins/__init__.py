"""Who is there (registry), who is chosen (choice), and whether they keep their word (checked)."""
