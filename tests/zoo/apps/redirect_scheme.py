"""A redirect that forces https by its own scheme: a loop."""

from _serve import serve

HOST = "a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com"
serve(lambda path: (301, {"Location": f"https://{HOST}{path}"}, b""))
