// The customer's REST calls. Every failure is a Problem.

const ACK_PATIENCE = 10000;

class Calls {
  constructor(desk) {
    this.root = `${desk}/api/v1/conversations`;
  }

  headers(token) {
    return { "Accept-Language": language, ...(token && { Authorization: `Bearer ${token}` }) };
  }

  async json(method, path, token, body, signal) {
    const headers = this.headers(token);
    if (body) headers["Content-Type"] = "application/json";
    const options = { method, headers, signal, credentials: "omit", cache: "no-store" };
    if (body) options.body = JSON.stringify(body);
    let answer;
    try {
      answer = await fetch(this.root + path, options);
    } catch {
      throw new Problem(0, "no_answer");
    }
    const data = await answer.json().catch(() => ({}));
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
      request.upload.onprogress = ({ loaded, total }) => onProgress(Math.floor((loaded / total) * 100));
      request.onerror = request.ontimeout = () => reject(new Problem(0, "no_answer"));
      request.onload = () => {
        if (request.status < 300) resolve(request.response);
        else reject(this.problem(request.status, request.response, request.getResponseHeader("Retry-After")));
      };
      request.send(form);
    });
  }
}
