"""HTTP: messages as values, HTTP/1.1 as bytes, and connections that speak it."""
