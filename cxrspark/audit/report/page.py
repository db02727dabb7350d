"""The page around the report's sections: head, style, and how text becomes HTML."""

from __future__ import annotations

from html import escape

NOTICE = (
    "This page holds patient data: radiographs, and image, study and patient ids. "
    "Keep it where the archive itself may be kept. Do not send, print or publish it without leave."
)

SPACE = "\u00a0"
"""Keeps a number and its sign on one line."""

# Everything is inside the file; the policy makes a browser refuse anything that would not be.
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'"

STYLE = """
:root{color-scheme:light dark;--bg:#fff;--fg:#1c2126;--soft:#596069;--line:#d3d8de;--card:#f4f6f8;
--frontal:#00649f;--lateral:#a84300;--unsure:#6b7078;--tint-f:#cfe5f4;--tint-l:#fbdcc6;
--tint-u:#e4e6e9;--notice:#8c1010;--on-notice:#fff;--against:#8c1010;--link:#00528a}
@media (prefers-color-scheme:dark){:root{--bg:#14181c;--fg:#e9ecef;--soft:#a7b0b9;--line:#3a424a;
--card:#1e242a;--frontal:#7cc3f2;--lateral:#ffa66b;--unsure:#aab1b9;--tint-f:#17405c;
--tint-l:#5c3114;--tint-u:#3b4147;--notice:#7d1414;--against:#ff8f8f;
--link:#8ccbf5}}
*{box-sizing:border-box}
body{margin:0;background:var(--bg);color:var(--fg);
font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"DejaVu Sans",sans-serif}
a{color:var(--link)}
:focus-visible{outline:3px solid var(--link);outline-offset:2px}
.skip{position:absolute;left:-999px;background:var(--bg);padding:.5rem 1rem;z-index:1}
.skip:focus{left:.5rem;top:.5rem}
.notice{background:var(--notice);color:var(--on-notice);padding:.7rem 1rem;text-align:center}
.notice strong{display:block;font-size:1.1rem}
.wrap{max-width:76rem;margin:0 auto;padding:0 1rem 3rem}
h1{font-size:1.7rem;line-height:1.2;margin:1.5rem 0 .3rem}
h2{font-size:1.3rem;line-height:1.25;margin:0 0 .4rem}
h3{font-size:1.05rem;margin:1.2rem 0 .3rem}
section{margin-top:2.2rem;padding-top:1.4rem;border-top:1px solid var(--line)}
p{margin:.3rem 0 .8rem;max-width:48rem}
.lead{font-size:1.1rem}
.soft,.about{color:var(--soft)}
.about{font-size:.9rem;overflow-wrap:anywhere}
.frontal{color:var(--frontal);font-weight:600}
.lateral{color:var(--lateral);font-weight:600}
.uncertain{color:var(--unsure);font-weight:600}
.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(9.2rem,1fr));gap:.7rem;padding:0;
margin:1.2rem 0 0;list-style:none}
.cards a{display:block;height:100%;background:var(--card);border:1px solid var(--line);
border-radius:.5rem;padding:.7rem .8rem;color:inherit;text-decoration:none}
.cards a:hover{border-color:var(--link)}
.cards b{display:block;font-size:1.6rem;line-height:1.25;font-variant-numeric:tabular-nums}
.cards small{display:block;color:var(--soft);font-size:.85rem;line-height:1.35}
.cards .key{border-left:.4rem solid var(--lateral)}
.scroll{overflow-x:auto}
table{border-collapse:collapse;font-variant-numeric:tabular-nums;font-size:.95rem}
th,td{padding:.3rem .7rem;text-align:right;border-bottom:1px solid var(--line);white-space:nowrap}
th[scope=row],th:first-child{text-align:left;position:sticky;left:0;background:var(--bg)}
thead th{vertical-align:bottom;white-space:normal;font-weight:600;
border-bottom:2px solid var(--soft)}
tbody th{font-weight:400}
tr.sum th,tr.sum td{font-weight:600}
tr.part th{color:var(--soft);font-size:.85rem;padding-top:.9rem}
td.share{background:linear-gradient(var(--tint),var(--tint)) left/var(--w) 100% no-repeat}
td.f{--tint:var(--tint-f)}td.l{--tint:var(--tint-l)}td.u{--tint:var(--tint-u)}
td.against{box-shadow:inset 0 0 0 2px var(--against);font-weight:700}
td small,th small{display:block;font-size:.82em;color:var(--soft);font-weight:400}
.panels{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(20rem,100%),1fr));gap:1rem}
.panels figure{margin:0}
.panels h3 small{display:block;color:var(--soft);font-weight:400}
.panels svg{width:100%;height:auto;display:block}
svg text{fill:var(--fg);font-size:12px}
svg .grid{stroke:var(--line)}
svg .frontal{fill:var(--frontal)}svg .lateral{fill:var(--lateral)}
svg .uncertain{fill:var(--unsure)}svg .other{fill:var(--soft)}
.swatch{display:inline-block;width:.8em;height:.8em;border-radius:2px;margin-right:.35em;
background:currentColor}
.legend{display:flex;flex-wrap:wrap;gap:.3rem 1.2rem;font-size:.9rem}
.tiles{display:grid;grid-template-columns:repeat(auto-fill,minmax(var(--tile,9.5rem),1fr));
gap:.8rem;padding:0;margin:.8rem 0;list-style:none}
.tiles li{background:var(--card);border:1px solid var(--line);border-radius:.4rem;overflow:hidden}
.tiles figure{margin:0}
.pic{aspect-ratio:1;background:#000;display:flex;align-items:center;justify-content:center;
color:#c3c8cd;font-size:.8rem;text-align:center}
.pic img{display:block;width:100%}
.pic img.tall{width:auto;height:100%}
figcaption{padding:.45rem .55rem .55rem;font-size:.82rem;line-height:1.4}
.said{display:grid;grid-template-columns:auto 1fr;gap:0 .5rem;margin:0}
.said dt{color:var(--soft)}.said dd{margin:0;font-weight:600}
.scale{display:block;height:.4rem;margin:.35rem 0;border-radius:.2rem;position:relative;
background:linear-gradient(90deg,var(--lateral),var(--line) 45%,var(--line) 55%,var(--frontal))}
.scale::after{content:"";position:absolute;top:-.2rem;bottom:-.2rem;width:.3rem;border-radius:2px;
background:var(--fg);border:1px solid var(--bg);left:calc(var(--p)*(100% - .3rem))}
code{font:.95em ui-monospace,"DejaVu Sans Mono",monospace;overflow-wrap:anywhere}
figcaption code{font-size:.72rem;color:var(--soft);user-select:all;line-height:1.3;display:block}
details>summary{cursor:pointer;padding:.2rem 0}
figcaption details{font-size:.75rem;overflow-wrap:anywhere}
.more>summary{display:inline-block;border:1px solid var(--line);border-radius:.4rem;
padding:.4rem .9rem;background:var(--card)}
.fails{margin:0 0 .3rem;font-weight:600;overflow-wrap:anywhere}
.files{font-size:.92rem}.files dt{font-weight:600}.files dd{margin:0 0 .5rem 1.2rem}
@media (max-width:40rem){h1{font-size:1.4rem}.cards{grid-template-columns:1fr 1fr;gap:.5rem}
.cards li:first-child{grid-column:span 2}
.cards b{font-size:1.3rem}th,td{padding:.3rem .4rem}table{font-size:.82rem}
td:nth-child(2) small{white-space:normal;width:4.2rem;margin-left:auto}
.tiles{grid-template-columns:repeat(2,1fr);gap:.5rem}}
@media (max-width:30rem){.scroll::before{content:"More columns to the right →";
position:sticky;left:0;color:var(--soft);font-size:.82rem}}
@media print{:root{color-scheme:light;--bg:#fff;--fg:#000;--soft:#444;--card:#fff;--line:#bbb;
--frontal:#00649f;--lateral:#a84300;--unsure:#6b7078;--tint-f:#cfe5f4;--tint-l:#fbdcc6;
--tint-u:#e4e6e9;--against:#8c1010;--link:#000}
*{print-color-adjust:exact;-webkit-print-color-adjust:exact}
details::details-content{content-visibility:visible}
body{font-size:10pt}.skip,.more>summary{display:none}.scroll{overflow:visible}
.notice{background:none;color:#8c1010;border:2px solid #8c1010}
.tiles{grid-template-columns:repeat(5,1fr)}figcaption{font-size:7.5pt}
.panels{grid-template-columns:repeat(3,1fr)}
.tiles li,.cards li,.panels figure,tr{break-inside:avoid}
figcaption details{display:none}h2,h3{break-after:avoid}}
"""


def page(title: str, body: str, tile: int) -> str:
    """A whole HTML document that needs nothing but itself.

    Args:
        title: Plain text.
        body: HTML that belongs into ``main``.
        tile: Least width of a contact sheet's tiles in CSS pixels.
    """
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{POLICY}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex, nofollow">
<meta name="referrer" content="no-referrer">
<link rel="icon" href="data:,">
<title>{text(title)}</title>
<style>{STYLE}:root{{--tile:{tile}px}}</style>
</head>
<body>
<a class="skip" href="#main">Skip to the content</a>
<div class="notice" role="note"><strong>Confidential</strong>{text(NOTICE)}</div>
<main id="main" class="wrap" tabindex="-1">
{body}
</main>
</body>
</html>
"""


def text(value: object) -> str:
    """Anything as text that HTML shows as it is, in attributes too."""
    return escape(str(value), quote=True)


def number(count: int) -> str:
    """A count with thousands told apart."""
    return f"{count:,}"


def images(count: int) -> str:
    """1 image, 2 images."""
    return f"{number(count)} image" + ("" if count == 1 else "s")


def percent(share: float, digits: int = 2) -> str:
    """A share in per cent; one that is not 0 or 1 is never rounded to it."""
    least = 10.0**-digits
    if 0 < share < least / 200:
        return f"<{least:.{digits}f}{SPACE}%"
    if 1 - least / 200 < share < 1:
        return f">{100 - least:.{digits}f}{SPACE}%"
    return f"{share * 100:.{digits}f}{SPACE}%"


def section(name: str, title: str, *parts: str) -> str:
    """A section that the cards link to; ``parts`` are HTML."""
    inside = "\n".join(part for part in parts if part)
    heading = f'<h2 id="{name}-title">{text(title)}</h2>'
    return f'<section id="{name}" aria-labelledby="{name}-title">\n{heading}\n{inside}\n</section>'


def paragraph(words: str, kind: str = "") -> str:
    """A paragraph of plain text."""
    attribute = f' class="{kind}"' if kind else ""
    return f"<p{attribute}>{text(words)}</p>"


def link(file: str) -> str:
    """A file that lies beside the page."""
    return f'<a href="{text(file)}">{text(file)}</a>'


def more(summary: str, inside: str) -> str:
    """HTML that is shown on demand."""
    return f'<details class="more"><summary>{text(summary)}</summary>\n{inside}\n</details>'
