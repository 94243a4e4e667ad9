"""A model that calls functions of this program until it can answer."""

import asyncio
from typing import Literal

from understudy import AsyncClient

# A real model decides by itself what to call. The mock is told so, in brackets.
QUESTION = "[call: weather, distance] How is the weather in Paris, and how far is it?"


async def weather(city: str, unit: Literal["celsius", "fahrenheit"] = "celsius") -> dict[str, str | int]:
    """The weather in a city right now.

    Args:
        city: Its name.
        unit: Of the temperature.
    """
    await asyncio.sleep(0)  # here a real one would ask a service
    return {"city": city, "sky": "clear", "temperature": 21 if unit == "celsius" else 70}


def distance(origin: str, destination: str) -> str:
    """How far it is from one city to another."""
    return f"450 km from {origin} to {destination}"


async def main() -> None:
    """Ask once; the client calls what the model wants called."""
    async with AsyncClient() as client:
        await client.wait_until_ready()
        run = await client.run("chat", QUESTION, tools=[weather, distance])
    for message in run.messages:
        for call in message.get("tool_calls", ()):
            print("called", call["function"]["name"])
    print(run.text)


asyncio.run(main())
