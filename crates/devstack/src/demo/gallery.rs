//! One page with everything that was minted: images as a gateway gave them, and what the chain says of each.

use std::fmt::Write as _;
use std::io;
use std::path::Path;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;

use super::Finding;

const HEAD: &str = r#"<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>mintfleet: what was minted</title>
<style>
  :root { color-scheme: light dark; }
  body { font: 15px/1.45 system-ui, sans-serif; margin: 2rem auto; max-width: 1180px; padding: 0 1rem; }
  h1 { font-weight: 600; margin-bottom: .2rem; }
  .all { display: grid; gap: 1.2rem; grid-template-columns: repeat(auto-fill, minmax(210px, 1fr)); margin-top: 1.5rem; }
  figure { background: color-mix(in srgb, canvastext 5%, canvas); border-radius: 12px; margin: 0; overflow: hidden; }
  figure.wrong { outline: 3px solid #d33; }
  img { aspect-ratio: 1; display: block; object-fit: cover; width: 100%; }
  figcaption { padding: .7rem .9rem .9rem; }
  figcaption b { display: block; }
  dl { font-size: 12px; margin: .4rem 0 0; }
  dt { opacity: .6; }
  dd { font-family: ui-monospace, monospace; margin: 0 0 .25rem; overflow-wrap: anywhere; }
  .problem { color: #d33; font-size: 13px; }
</style>
"#;

/// Writes the page; it needs nothing but itself.
pub fn write(path: &Path, findings: &[Finding]) -> io::Result<()> {
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent)?;
    }
    std::fs::write(path, page(findings))
}

fn page(findings: &[Finding]) -> String {
    let right = findings.iter().filter(|finding| finding.problems.is_empty()).count();
    let mut page = String::from(HEAD);
    let _ = write!(page, "<h1>mintfleet</h1><p>{right} of {} as ordered.</p><div class=\"all\">", findings.len());
    for finding in findings {
        card(&mut page, finding);
    }
    page.push_str("</div>\n</html>\n");
    page
}

fn card(page: &mut String, finding: &Finding) {
    let class = if finding.problems.is_empty() { "" } else { " class=\"wrong\"" };
    let image = BASE64_STANDARD.encode(&finding.image);
    let kind = image::guess_format(&finding.image).map_or("image/png", |format| format.to_mime_type());
    let name = escape(&finding.order.event.nft.name);
    let _ = write!(page, "<figure{class}><img alt=\"{name}\" src=\"data:{kind};base64,{image}\"><figcaption>");
    let _ = write!(page, "<b>{name}</b>{}<dl>", escape(finding.metadata["description"].as_str().unwrap_or_default()));
    let facts = [
        ("name on chain", finding.name.as_str()),
        ("mint", &finding.mint),
        ("owner", &finding.order.event.wallet_address.to_string()),
        ("metadata", &finding.uri),
        ("image", finding.metadata["image"].as_str().unwrap_or_default()),
    ];
    for (term, fact) in facts {
        let _ = write!(page, "<dt>{term}</dt><dd>{}</dd>", escape(fact));
    }
    page.push_str("</dl>");
    for problem in &finding.problems {
        let _ = write!(page, "<p class=\"problem\">{}</p>", escape(problem));
    }
    page.push_str("</figcaption></figure>\n");
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
