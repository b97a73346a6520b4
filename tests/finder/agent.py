"""An agent's tools through the real MCP client library, `mcp`: what they are, and what they answer, as JSON.

    python agent.py URL
"""

import asyncio
import json
import sys

from mcp import ClientSession

try:
    from mcp.client.streamable_http import streamable_http_client as connect
except ImportError:
    from mcp.client.streamable_http import streamablehttp_client as connect


async def main(url: str) -> None:
    async with connect(url) as (read, write, *_), ClientSession(read, write) as session:
        started = await session.initialize()
        tools = await session.list_tools()
        found = await session.call_tool("search", {"query": "attention is all you need", "n": 1})
        [paper] = json.loads(found.content[0].text)["results"]
        near = await session.call_tool("similar", {"ids": [paper["id"]], "n": 2})
        entry = await session.call_tool("bibtex", {"ids": [paper["id"]]})
        wrong = await session.call_tool("bibtex", {"ids": []})
        said = wrong.is_error if hasattr(wrong, "is_error") else wrong.isError
        server = started.server_info if hasattr(started, "server_info") else started.serverInfo
        print(json.dumps({"server": server.name, "tools": [tool.name for tool in tools.tools], "title": paper["title"],
                          "near": len(json.loads(near.content[0].text)["results"]), "bibtex": entry.content[0].text, "wrong": said}))


asyncio.run(main(sys.argv[1]))
