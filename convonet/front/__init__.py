"""What stands between a server's sockets and our applications, on Daphne and on uvicorn alike."""
