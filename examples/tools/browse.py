"""Tools that the gateway runs: called by a program, and by a persona that looks things up by itself."""

from understudy import Client

# A real model decides by itself what to call. The mock is told so, in brackets.
QUESTION = "[call: find_book] Do you have anything by Jane Austen?"

with Client() as client:
    client.wait_until_ready()
    for tool in client.tools.list():
        print(f"{tool.name}: {tool.description}")
    for book in client.tools.execute("find_book", {"words": "bronte"}):
        there = client.tools.execute("stock", {"isbn": book["isbn"]})
        print(f"{book['title']}: {there['copies']} on shelf {there['shelf']}")
    print(client.chat("persona/bookseller", QUESTION).text)
