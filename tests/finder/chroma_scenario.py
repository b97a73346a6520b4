"""One program of a user of Chroma's Python client, for any server: what it sees, as plain values.

    python chroma_scenario.py HOST PORT [TOKEN]     prints it as JSON; needs chromadb, or the thin chromadb-client
"""

import json
import sys
import uuid

import chromadb

CALLS = {
    "all": {},
    "ids": {"ids": ["d", "a", "nobody"], "include": ["documents", "metadatas", "embeddings"]},
    "page": {"limit": 2, "offset": 1},
    "year": {"where": {"year": {"$gte": 2020}}},
    "number": {"where": {"year": 2020.0}},
    "not": {"where": {"venue": {"$ne": "ICML"}}},
    "in": {"where": {"venue": {"$in": ["ICML", "KDD"]}}},
    "and": {"where": {"$and": [{"year": {"$lt": 2022}}, {"$or": [{"open": True}, {"venue": "ICML"}]}]}},
    "text": {"where_document": {"$contains": "graph"}},
    "no text": {"where_document": {"$not_contains": "graph"}},
    "both": {"where": {"year": {"$gt": 2018}}, "where_document": {"$or": [{"$contains": "Bayes"}, {"$contains": "graph"}]}},
    "regex": {"where_document": {"$regex": "(?i)GRAPH.*s$"}},
}
REFUSED = {"operator": {"where": {"year": {"$like": 1}}}, "empty list": {"where": {"year": {"$in": []}}}, "include": {"include": ["everything"]}}


def plain(value):
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items() if key not in ("data", "included", "include")}
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, (list, tuple)):
        return [plain(each) for each in value]
    return round(value, 6) if isinstance(value, float) else value  # both sides count in float32


def raised(call) -> str:
    try:
        call()
    except Exception as error:  # noqa: BLE001
        return type(error).__name__
    return "nothing"


def scenario(client) -> dict:
    name = f"scenario-{uuid.uuid4().hex[:8]}"
    seen: dict = {}
    for space in ("l2", "cosine", "ip"):
        seen[space] = one_space(client, f"{name}-{space}", space)
    seen["missing"] = raised(lambda: client.get_collection("no-such-collection"))
    seen["bad name"] = raised(lambda: client.create_collection("x", embedding_function=None))
    return plain(seen)


def one_space(client, name: str, space: str) -> dict:
    papers = client.get_or_create_collection(name, metadata={"about": "papers"}, configuration={"hnsw": {"space": space}}, embedding_function=None)
    seen: dict = {"empty": papers.query(query_embeddings=[[1.0, 0, 0]], n_results=3), "count before": papers.count()}
    papers.add(ids=list("abcde"), embeddings=[[2, 1, 0], [3, 4, 0.5], [0, 0, 1], [1, 1, 1], [-1, 2, 0.25]],
               documents=["Colours of graphs", "Bayes at work", "A graph in time", None, "Nothing of it"],
               metadatas=[{"year": 2020, "venue": "ICML", "open": True}, {"year": 2018, "venue": "KDD"}, {"year": 2023, "score": 2.0}, None, {"open": False}])
    papers.add(ids=["a"], embeddings=[[9, 9, 9]], documents=["Ignored"])
    papers.upsert(ids=["b", "f"], embeddings=[[3, 3, 0.5], [0.1, 0.2, 0.3]], metadatas=[{"venue": "KDD 2018", "year": None}, {"tags": "new"}])
    papers.update(ids=["c", "nobody"], embeddings=[[0, 1, 1], [1, 1, 1]], documents=["A graph in space", "x"])
    papers.update(ids=["e"], metadatas=[{"year": 2020}])
    for what, asked in CALLS.items():
        seen[what] = papers.get(**asked)
        if "limit" not in asked and "offset" not in asked:
            query = {key: each for key, each in asked.items() if key in ("where", "where_document")}
            seen["query " + what] = papers.query(query_embeddings=[[1, 0.5, 0.1], [0, 0, 1]], n_results=4, include=["distances", "metadatas", "documents"], **query)
    for what, asked in REFUSED.items():
        seen["refused " + what] = raised(lambda: papers.get(**asked))
    seen["refused width"] = raised(lambda: papers.query(query_embeddings=[[1, 2]]))
    papers.delete(ids=["a"])
    papers.delete(where={"venue": "KDD 2018"})
    seen |= {"left": papers.get()["ids"], "count": papers.count(), "peek": papers.peek(2)["ids"]}
    again = client.get_collection(name, embedding_function=None)
    seen |= {"same": again.id == papers.id, "metadata": again.metadata, "twice": raised(lambda: client.create_collection(name, embedding_function=None)) != "nothing",
             "listed": name in [each.name for each in client.list_collections()]}
    papers.modify(name=name + "-renamed")
    seen["renamed"] = client.get_collection(name + "-renamed", embedding_function=None).count()
    client.delete_collection(name + "-renamed")
    seen["gone"] = raised(lambda: client.get_collection(name + "-renamed", embedding_function=None))
    return seen


if __name__ == "__main__":
    host, port, *token = sys.argv[1:]
    headers = {"Authorization": f"Bearer {token[0]}"} if token else {}
    print(json.dumps(scenario(chromadb.HttpClient(host=host, port=int(port), headers=headers))))
