"""A tool of an app: says what a book costs, to whoever knows its token.

Runs in a pod: `python till.py PORT TOKEN`. Each call is one line of JSON in its log, without the token.
"""

import json
import sys

from aiohttp import web

PRICE = "19.90 dollars"


async def price(request: web.Request) -> web.Response:
    """The price of the book that is asked for."""
    if request.headers.get("Authorization") != f"Bearer {request.app[TOKEN]}":
        return web.json_response({"error": "who are you?"}, status=401)
    asked = await request.json()
    print(json.dumps({"asked": asked, "trace": request.headers.get("traceparent")}), flush=True)  # noqa: T201
    return web.json_response({"title": asked["title"], "price": PRICE})


TOKEN = web.AppKey("token", str)

if __name__ == "__main__":
    app = web.Application()
    app[TOKEN] = sys.argv[2]
    app.router.add_post("/price", price)
    web.run_app(app, port=int(sys.argv[1]), print=None)
