// The customer's REST calls. Every failure is a Problem.

const ACK_PATIENCE = 10000;
const PATIENCE = 15000;
const STALLED = 20000;

class Calls {
  constructor(desk) {
    this.root = `${desk}/api/v1/conversations`;
  }

  headers(token) {
    return { "Accept-Language": language, ...(token && { Authorization: `Bearer ${token}` }) };
  }

  // `patience`: a line that is stalled never answers, and browsers would wait for minutes.
  async json(method, path, token, body, signal, patience = PATIENCE) {
    const headers = this.headers(token);
    if (body) headers["Content-Type"] = "application/json";
    const stop = new AbortController();
    const abort = () => stop.abort();
    const timer = setTimeout(abort, patience);
    if (signal) signal.addEventListener("abort", abort);
    const options = { method, headers, signal: stop.signal, credentials: "omit", cache: "no-store" };
    if (body) options.body = JSON.stringify(body);
    let answer;
    let data;
    try {
      answer = await fetch(this.root + path, options);
      data = await answer.json().catch((problem) => {
        // Cut off in the middle.
        if (answer.ok && answer.status !== 204) throw problem;
      });
    } catch {
      throw new Problem(0, "no_answer");
    } finally {
      clearTimeout(timer);
      if (signal) signal.removeEventListener("abort", abort);
    }
    if (answer.ok) return data;
    throw this.problem(answer.status, data, answer.headers.get("Retry-After"));
  }

  problem(status, data, retryAfter) {
    const { code, message } = (data && data.error) || {};
    return new Problem(status, code, message, Number(retryAfter) || 5);
  }

  // XMLHttpRequest, since fetch does not tell how much of an upload has gone.
  upload(path, token, item, onProgress) {
    const form = new FormData();
    form.append("client_id", item.client_id);
    form.append("file", item.file, item.name);
    return new Promise((resolve, reject) => {
      const request = new XMLHttpRequest();
      request.open("POST", this.root + path);
      for (const [name, value] of Object.entries(this.headers(token))) request.setRequestHeader(name, value);
      request.responseType = "json";
      let timer;
      const watch = () => {
        clearTimeout(timer);
        timer = setTimeout(() => request.abort(), STALLED);
      };
      request.upload.onprogress = ({ loaded, total }) => {
        watch();
        onProgress(Math.floor((loaded / total) * 100));
      };
      request.onerror = request.onabort = () => reject(new Problem(0, "no_answer"));
      request.onloadend = () => clearTimeout(timer);
      request.onload = () => {
        if (request.status < 300) resolve(request.response);
        else reject(this.problem(request.status, request.response, request.getResponseHeader("Retry-After")));
      };
      request.send(form);
      watch();
    });
  }
}
