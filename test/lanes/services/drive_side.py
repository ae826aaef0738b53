"""What Google's own Python client sees at the Drive server of the tests: drive_side.py CREDENTIALS ROOT_URL FOLDER."""

import hashlib
import io
import json
import os
import sys
from pathlib import Path

import googleapiclient
from google.oauth2.credentials import Credentials
from googleapiclient.discovery import build_from_document
from googleapiclient.errors import HttpError
from googleapiclient.http import MediaIoBaseDownload, MediaIoBaseUpload

CHUNK = 262144
FOLDER = "application/vnd.google-apps.folder"


def service(credentials_file, root_url):
    # The published description of the API, with another server.
    documents = Path(googleapiclient.__file__).parent / "discovery_cache" / "documents"
    document = json.loads((documents / "drive.v3.json").read_text())
    document["rootUrl"] = root_url
    document["baseUrl"] = root_url + document["servicePath"]
    login = json.loads(Path(credentials_file).read_text())
    credentials = Credentials(
        None,
        refresh_token=login["refresh_token"],
        token_uri=login["token_uri"],
        client_id=login["client_id"],
        client_secret=login["client_secret"],
    )
    return build_from_document(document, credentials=credentials)


def resumable(request):
    parts = 0
    reply = None
    while reply is None:
        _, reply = request.next_chunk()
        parts += 1
    return parts, reply


def download(drive, file_id):
    into = io.BytesIO()
    reader = MediaIoBaseDownload(into, drive.files().get_media(fileId=file_id), chunksize=CHUNK)
    parts, done = 0, False
    while not done:
        _, done = reader.next_chunk()
        parts += 1
    return parts, into.getvalue()


def refused(call):
    try:
        call()
    except HttpError as error:
        return error.resp.status
    return None


def main(credentials_file, root_url, folder_name):
    drive = service(credentials_file, root_url)
    files = drive.files()
    result = {}
    found = files.list(q=f"name = '{folder_name}' and mimeType = '{FOLDER}' and trashed = false").execute()["files"]
    folder = found[0]["id"]
    written = files.list(q=f"'{folder}' in parents and trashed = false", fields="files(id,name,size,sha256Checksum)").execute()["files"]
    result["seen"] = {}
    for entry in written:
        parts, data = download(drive, entry["id"])
        result["seen"][entry["name"]] = {
            "parts": parts,
            "sha256": hashlib.sha256(data).hexdigest(),
            "stated": entry["sha256Checksum"],
        }

    data = os.urandom(1_200_000)
    new_id = files.generateIds(count=1).execute()["ids"][0]
    body = {"id": new_id, "name": "from-python", "parents": [folder]}
    media = MediaIoBaseUpload(io.BytesIO(data), "application/octet-stream", chunksize=CHUNK, resumable=True)
    parts, reply = resumable(files.create(body=body, media_body=media, fields="id,size,sha256Checksum,md5Checksum"))
    result["upload"] = {"parts": parts, "sha256": hashlib.sha256(data).hexdigest(), "stated": reply["sha256Checksum"], "md5": hashlib.md5(data).hexdigest() == reply["md5Checksum"]}
    result["again"] = refused(lambda: files.create(body=body, media_body=MediaIoBaseUpload(io.BytesIO(b"x"), "text/plain")).execute())

    small = MediaIoBaseUpload(io.BytesIO(b"small"), "application/octet-stream")
    made = files.create(body={"name": "small", "parents": [folder]}, media_body=small).execute()
    result["small"] = download(drive, made["id"])[1].decode()
    other = MediaIoBaseUpload(io.BytesIO(data[::-1]), "application/octet-stream", chunksize=CHUNK, resumable=True)
    _, reply = resumable(files.update(fileId=made["id"], media_body=other, fields="id,sha256Checksum"))
    result["replaced"] = reply["sha256Checksum"] == hashlib.sha256(data[::-1]).hexdigest()

    names, token = [], None
    while True:
        page = files.list(q=f"'{folder}' in parents and trashed = false", pageSize=1, pageToken=token, fields="nextPageToken,files(name)").execute()
        names += [entry["name"] for entry in page["files"]]
        token = page.get("nextPageToken")
        if token is None:
            break
    result["pages"] = sorted(names)
    files.update(fileId=made["id"], body={"trashed": True}).execute()
    result["left"] = sorted(entry["name"] for entry in files.list(q=f"'{folder}' in parents and trashed = false").execute()["files"])
    result["badQuery"] = refused(lambda: files.list(q="name like 'x'").execute())
    result["badFields"] = refused(lambda: files.list(fields="files(colour)").execute())
    result["about"] = drive.about().get(fields="user(emailAddress)").execute()["user"]["emailAddress"]
    odd = MediaIoBaseUpload(io.BytesIO(data), "application/octet-stream", chunksize=100_000, resumable=True)
    result["oddParts"] = refused(lambda: resumable(files.create(body={"name": "odd"}, media_body=odd)))
    print(json.dumps(result))


main(*sys.argv[1:])
