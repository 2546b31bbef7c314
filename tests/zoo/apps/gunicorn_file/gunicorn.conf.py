threads = 4
timeout = 0
