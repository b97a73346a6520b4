"""A gateway that does the original's work: FastAPI, a file on the disk, the Space asked, a row in SQLite."""

import hashlib
import os
import sys
import uuid
from pathlib import Path

import httpx
import uvicorn
from fastapi import FastAPI, File, Form, HTTPException, UploadFile
from sqlalchemy import Column, Integer, String, create_engine
from sqlalchemy.orm import Session, declarative_base

PORT, DATA = int(sys.argv[1]), Path(sys.argv[2])
DATA.mkdir(parents=True)
SPACE = os.environ["HF_SPACE_URL"]
Base = declarative_base()
engine = create_engine(f"sqlite:///{DATA}/records.sqlite", connect_args={"check_same_thread": False})


class Artifact(Base):
    __tablename__ = "artifacts"
    id = Column(Integer, primary_key=True)
    uuid = Column(String, unique=True)
    sha256 = Column(String)
    name = Column(String)
    register_number = Column(String)
    subject_code = Column(String)
    exam_type = Column(String)


Base.metadata.create_all(engine)
app = FastAPI()
client = httpx.AsyncClient(timeout=300)


@app.get("/health")
def health() -> dict:
    return {"status": "ok"}


@app.post("/scan-upload")
async def scan_upload(file: UploadFile = File(...), exam_type: str = Form("CIA1")) -> dict:
    content = await file.read()
    reply = await client.post(f"{SPACE}/extract", files={"file": (file.filename, content)})
    if reply.status_code != 200:
        raise HTTPException(503, "the Space cannot read")
    read = reply.json()
    name = f"{read['register_number']}_{read['subject_code']}_{exam_type}.pdf"
    identity = str(uuid.uuid4())
    (DATA / f"{identity}.pdf").write_bytes(content)
    with Session(engine) as session:
        session.add(Artifact(uuid=identity, sha256=hashlib.sha256(content).hexdigest(), name=name, register_number=read["register_number"],
                             subject_code=read["subject_code"], exam_type=exam_type))
        session.commit()
    return {"success": True, "renamed_filename": name, "artifact_uuid": identity}


uvicorn.run(app, host="127.0.0.1", port=PORT, log_level="warning")
