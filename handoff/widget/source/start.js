// Reads the script tag and offers window.Jieli to the site. A second tag does nothing.

function start(script) {
  const data = script.dataset;
  const known = /^zh/i.test(data.language || navigator.language || "zh") ? "zh" : "en";
  const { appVersion: app_version, deviceModel: device_model, firmwareVersion: firmware_version } = data;
  const app = new App(script.src.replace(/\/widget\.js.*$/, ""), {
    language: known,
    title: data.title,
    color: data.color || "#0b6570",
    scheme: data.scheme || "light",
    launcher: data.launcher,
    customerToken: data.customerToken,
    context: { app_version, device_model, firmware_version },
  });
  return {
    open: (draft) => app.open(draft),
    close: () => app.shell.close(),
    identify: (identity) => app.identify(identity || null),
    context: (values) => Object.assign(app.context, values),
  };
}

const script = document.currentScript;
if (!window.Jieli) {
  const run = () => (window.Jieli = start(script));
  if (document.body) run();
  else document.addEventListener("DOMContentLoaded", run);
}
