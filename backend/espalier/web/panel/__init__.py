"""The panel: pages for people who label, over the REST API that programs use."""
