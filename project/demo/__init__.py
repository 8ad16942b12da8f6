"""`make demo`: the whole main job on this machine, through the same API, queues and workers as everywhere."""
