"""The functions of a bookshop, as an HTTP server: arguments come as JSON or in the query, results go as JSON."""

import argparse
import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

BOOKS = {
    "9780141439518": {"title": "Pride and Prejudice", "author": "Jane Austen", "copies": 4, "shelf": "C2"},
    "9780141439556": {"title": "Wuthering Heights", "author": "Emily Bronte", "copies": 0, "shelf": "C2"},
    "9780141441146": {"title": "Jane Eyre", "author": "Charlotte Bronte", "copies": 2, "shelf": "C3"},
}


def find_book(arguments: dict[str, Any]) -> list[dict[str, str]]:
    """The books whose title or author has all of the words."""
    words = arguments["words"].lower().split()
    found = [
        {"isbn": isbn, "title": book["title"], "author": book["author"]}
        for isbn, book in BOOKS.items()
        if all(word in f"{book['title']} {book['author']}".lower() for word in words)
    ]
    return found[: arguments.get("limit", 3)]


def stock(arguments: dict[str, Any]) -> dict[str, Any]:
    """How many copies there are, and where."""
    book = BOOKS[arguments["isbn"]]
    return {"copies": book["copies"], "shelf": book["shelf"]}


class Shop(BaseHTTPRequestHandler):
    """Answers calls of functions."""

    def do_GET(self) -> None:
        """A call with its arguments in the query."""
        arguments = {name: values[0] for name, values in parse_qs(urlsplit(self.path).query).items()}
        self.answer(arguments)

    def do_POST(self) -> None:
        """A call with its arguments in the body."""
        self.answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

    def answer(self, arguments: dict[str, Any]) -> None:
        """Run the function that the path names."""
        function = {"/find-book": find_book, "/stock": stock}[urlsplit(self.path).path]
        try:
            self.say(200, function(arguments))
        except KeyError as missing:
            self.say(404, {"detail": f"there is no book {missing}"})

    def say(self, status: int, said: object) -> None:
        """Send JSON."""
        body = json.dumps(said).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--port", type=int, default=8090)
with ThreadingHTTPServer(("127.0.0.1", parser.parse_args().port), Shop) as server:
    print(f"the shop is open at http://localhost:{server.server_port}", flush=True)
    server.serve_forever()
