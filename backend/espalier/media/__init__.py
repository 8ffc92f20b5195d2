"""Pictures and videos: fetched, kept, and decoded into RGB frames. This room knows no encoder and no label."""
