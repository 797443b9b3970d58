// The login: name and password go to the desk, which answers with where to work.
const page = document.querySelector(".login");
const form = page.querySelector("form");
const problem = form.querySelector(".problem");
const words = JSON.parse(page.dataset.words);
let { language } = page.dataset;

function translate(chosen) {
  language = chosen;
  document.cookie = `jieli_language=${chosen}; Path=/; Max-Age=31536000; SameSite=Lax`;
  document.documentElement.lang = chosen === "zh" ? "zh-CN" : "en";
  for (const node of page.querySelectorAll("[data-text]")) node.textContent = words[node.dataset.text][chosen];
  form.setAttribute("aria-label", words.login[chosen]);
}

function tell(text) {
  problem.textContent = text;
  problem.hidden = !text;
}

document.getElementById("language").addEventListener("click", () => translate(language === "zh" ? "en" : "zh"));

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = form.querySelector("button");
  button.disabled = true;
  tell("");
  const body = { ...Object.fromEntries(new FormData(form)), next: new URLSearchParams(location.search).get("next") };
  body.name = body.name.trim();
  try {
    const answer = await fetch("/desk/login", {
      method: "POST", body: JSON.stringify(body),
      headers: { "Content-Type": "application/json", "X-Jieli-Console": "1", "Accept-Language": language },
    });
    const data = await answer.json();
    if (answer.ok) location.href = data.go;
    else if (answer.status === 403) location.reload(); // the form was too old for this browser's cookie
    else tell(data.error.message);
  } catch {
    tell(words.no_answer[language]);
  }
  button.disabled = false;
});

// While people type, the browser fetches what the pages behind the login are made of.
addEventListener("load", () => {
  for (const address of JSON.parse(page.dataset.files)) {
    document.head.append(Object.assign(document.createElement("link"), { rel: "prefetch", href: address }));
  }
});
