"""A cache made by the Python package huggingface_hub itself, from a stub of the Hub in this process. Writes ../hub/cache.json: the stub's repository, and the
cache's files as text, base64 or target of a link.

Needs huggingface_hub. Usage: python hub_cache_golden.py
"""
import base64, hashlib, json, os, sys, tempfile, threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
import numpy as np

here = os.path.dirname(os.path.abspath(__file__))

def safetensors(tensors):
    header, data = {}, b""
    for name, x in tensors.items():
        header[name] = {"dtype": "F32", "shape": list(x.shape), "data_offsets": [len(data), len(data) + x.nbytes]}
        data += x.tobytes()
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    return len(text).to_bytes(8, "little") + text + data

def repository(scale):
    a = {"a": np.arange(4, dtype=np.float32) * scale}; b = {"b": np.ones((2, 2), dtype=np.float32) * scale}
    return {"config.json": json.dumps({"model_type": "llama", "scale": scale}).encode(), "tokenizer.json": b"{}", "README.md": b"# Tiny\n", "pytorch_model.bin": b"pickled",
            "model-00001-of-00002.safetensors": safetensors(a), "model-00002-of-00002.safetensors": safetensors(b),
            "model.safetensors.index.json": json.dumps({"metadata": {}, "weight_map": {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}}).encode()}

COMMITS = {"main": "1" * 40, "refs/pr/1": "2" * 40, "v1": "3" * 40}
REPOSITORIES = {commit: repository(i + 1) for i, commit in enumerate(COMMITS.values())}

def lfs(name): return name.endswith((".safetensors", ".bin"))
def etag(name, content): return hashlib.sha256(content).hexdigest() if lfs(name) else hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()

class Stub(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def log_message(self, *args): pass
    def do_HEAD(self): self.do_GET(False)
    def do_GET(self, body=True):
        from urllib.parse import unquote, urlparse
        path = unquote(urlparse(self.path).path)
        def answer(status, content=b"", **headers):
            self.send_response(status)
            for k, v in headers.items(): self.send_header(k.replace("_", "-"), v)
            if "Content_Length" not in headers: self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if body: self.wfile.write(content)
        if path.startswith("/api/models/owner/tiny/revision/"):
            revision = path.split("/revision/")[1]
            commit = COMMITS.get(revision, revision)
            if commit not in REPOSITORIES: return answer(404, X_Error_Code="RevisionNotFound")
            return answer(200, json.dumps({"id": "owner/tiny", "sha": commit, "siblings": [{"rfilename": n} for n in REPOSITORIES[commit]]}).encode())
        if path.startswith("/api/models/owner/tiny/tree/"):
            files = REPOSITORIES[path.split("/tree/")[1]]
            rows = [{"type": "file", "oid": hashlib.sha1(b"blob %d\0" % len(c) + c).hexdigest(), "size": len(c), "path": n}
                    | ({"lfs": {"oid": etag(n, c), "size": len(c), "pointerSize": 100}} if lfs(n) else {}) for n, c in files.items()]
            return answer(200, json.dumps(rows).encode(), Content_Type="application/json")
        if path.startswith("/owner/tiny/resolve/"):
            for commit, files in REPOSITORIES.items():
                prefix = f"/owner/tiny/resolve/{commit}/"
                if path.startswith(prefix) and path[len(prefix):] in files:
                    name = path[len(prefix):]; content = files[name]
                    headers = {"X_Repo_Commit": commit, "ETag": f'"{etag(name, content)}"'}
                    if lfs(name): return answer(302, Location=f"http://localhost:{server.server_port}/cdn/{commit}/{name}", X_Linked_Etag=headers["ETag"], X_Linked_Size=str(len(content)), X_Repo_Commit=commit)
                    return answer(200, content, **headers)
        if path.startswith("/cdn/"):
            _, _, commit, name = path.split("/", 3)
            return answer(200, REPOSITORIES[commit][name])
        answer(404, X_Error_Code="EntryNotFound")

server = ThreadingHTTPServer(("127.0.0.1", 0), Stub)
threading.Thread(target=server.serve_forever, daemon=True).start()
home = tempfile.mkdtemp()
os.environ.update(HF_HOME=home, HF_ENDPOINT=f"http://127.0.0.1:{server.server_port}", HF_HUB_DISABLE_XET="1", HF_HUB_DISABLE_TELEMETRY="1")
import huggingface_hub
from huggingface_hub import snapshot_download
# what a model needs of the one revision, all of another
snapshot_download("owner/tiny", allow_patterns=["*.json", "*.safetensors"])
snapshot_download("owner/tiny", revision="refs/pr/1")
snapshot_download("owner/tiny", revision="v1", allow_patterns=["config.json"])  # not whole
entries = {}
root = os.path.join(home, "hub")
for folder, folders, files in os.walk(root):
    for name in files + [f for f in folders if os.path.islink(os.path.join(folder, f))]:
        path = os.path.join(folder, name); key = os.path.relpath(path, root)
        if os.path.islink(path): entries[key] = {"link": os.readlink(path)}
        else: entries[key] = {"base64": base64.b64encode(open(path, "rb").read()).decode()}
result = {"about": "made by tools/hub_cache_golden.py", "huggingface_hub": huggingface_hub.__version__, "commits": COMMITS,
          "repositories": {c: {n: base64.b64encode(b).decode() for n, b in f.items()} for c, f in REPOSITORIES.items()}, "cache": entries}
with open(os.path.join(here, "..", "hub", "cache.json"), "w") as f: json.dump(result, f, indent=0, sort_keys=True)
