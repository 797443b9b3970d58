// What the browser tells by itself about the phone and the page.

const BROWSERS = [
  ["WeChat", /MicroMessenger\/(\d+)/],
  ["Huawei Browser", /HuaweiBrowser\/(\d+)/],
  ["Mi Browser", /MiuiBrowser\/(\d+)/],
  ["Samsung Internet", /SamsungBrowser\/(\d+)/],
  ["Edge", /Edg(?:A|iOS)?\/(\d+)/],
  ["Firefox", /(?:Firefox|FxiOS)\/(\d+)/],
  ["Chrome", /(?:Chrome|CriOS)\/(\d+)/],
  ["Safari", /Version\/(\d+)/],
];
// Parts of a user agent's brackets that are no phone model: "K" and the like, languages, names of software.
const NO_MODEL = /^(?:U|K|wv|Mobile|Tablet|rv:.*|[a-z]{2}[-_][a-z]{2}|(?:HMSCore|GMSCore|Android|HarmonyOS|Linux).*)$/i;

function browserOf(agent) {
  const found = BROWSERS.map(([name, pattern]) => [name, pattern.exec(agent)]).find(([, match]) => match);
  const desktop = /Windows|Macintosh|CrOS|Linux(?!; (?:U; )?Android)/.exec(agent);
  if (!found) return undefined;
  return `${found[0]} ${found[1][1]}${desktop && !/Mobile/.test(agent) ? ` (${desktop[0]})` : ""}`;
}

// `os` is the phone's system (ios, android, harmonyos); a computer's says nothing about the app, so it is left out.
function phoneOf(agent, touchPoints) {
  const apple = /(iPhone|iPad|iPod)[^)]* OS ([\d_]+)/.exec(agent);
  if (apple) {
    // Since iOS 26 the system version in the user agent stands still; Safari's own goes on.
    const safari = /Version\/(\d+(?:\.\d+)*)/.exec(agent);
    const frozen = safari && parseInt(safari[1], 10) >= 26;
    return { os: "ios", os_version: frozen ? safari[1] : apple[2].replace(/_/g, "."), phone_model: apple[1] };
  }
  if (/Macintosh/.test(agent) && touchPoints > 1) return { os: "ios", phone_model: "iPad" };
  const next = /OpenHarmony ([\d.]+)/.exec(agent);
  if (next) return { os: "harmonyos", os_version: next[1] };
  const brackets = /\(([^)]*Android[^)]*)\)/.exec(agent);
  if (!brackets) return {};
  const parts = brackets[1].split(";").map((part) => part.trim().replace(/ ?Build\/.*$/, ""));
  const harmony = /HarmonyOS ?([\d.]+)?/.exec(brackets[1]);
  const android = /Android ([\d.]+)/.exec(brackets[1]);
  return {
    os: harmony ? "harmonyos" : "android",
    os_version: harmony ? harmony[1] : android && !parts.includes("K") ? android[1] : undefined,
    phone_model: parts.find((part) => part && !NO_MODEL.test(part)),
  };
}

// Chromium hides model and version from the user agent and gives them when asked.
async function hintsOf(agentData) {
  if (!agentData || !agentData.getHighEntropyValues) return {};
  const hints = await agentData.getHighEntropyValues(["model", "platformVersion"]).catch(() => ({}));
  if (hints.platform !== "Android") return {};
  return { os: "android", os_version: (hints.platformVersion || "").replace(/(\.0)+$/, ""), phone_model: hints.model };
}

// The page's address goes without query and fragment: those can carry secrets.
async function surroundings() {
  const agent = navigator.userAgent;
  const phone = phoneOf(agent, navigator.maxTouchPoints);
  const hints = phone.os === "harmonyos" ? {} : await hintsOf(navigator.userAgentData);
  const known = { page: location.origin + location.pathname, browser: browserOf(agent), ...phone };
  for (const [name, value] of Object.entries(hints)) if (value) known[name] = value;
  return known;
}
