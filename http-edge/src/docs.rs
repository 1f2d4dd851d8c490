//! The description of the API as a page for people: made here, with nothing from elsewhere and no script.

use std::fmt::Write;
use std::sync::LazyLock;

use serde_json::{Map, Value};

use crate::openapi;

const HEAD: &str = r#"<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<meta name="referrer" content="no-referrer"><title>Tandem API</title>
<style>
body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem;color:#1b1f24;background:#fff}
code,pre{font:14px/1.4 ui-monospace,monospace}pre{background:#f4f5f7;padding:.75rem;overflow:auto}
details{border:1px solid #d6dae0;border-radius:6px;margin:.5rem 0;padding:.5rem .75rem}summary{cursor:pointer}
b.get{color:#0a6b3d}b.post{color:#0b4fa8}b.put,b.patch{color:#8a5200}b.delete{color:#a8201a}
table{border-collapse:collapse;width:100%}td,th{text-align:left;padding:.25rem .5rem;border-bottom:1px solid #e4e7eb;vertical-align:top}
@media(prefers-color-scheme:dark){body{color:#e6e8eb;background:#14171a}pre{background:#1f2429}details,td,th{border-color:#363d45}
b.get{color:#5fd39a}b.post{color:#7fb2f5}b.put,b.patch{color:#e8b25c}b.delete{color:#f0847e}}
</style></head><body>
"#;
/// What a browser may do with the page: show it, with the style it brings.
pub(crate) const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'";

/// The page.
pub(crate) fn page() -> &'static str {
    static PAGE: LazyLock<String> = LazyLock::new(|| {
        let api: Value = serde_json::from_str(openapi::json()).unwrap_or_default();
        let mut page = HEAD.to_owned();
        // Writing to a text cannot fail.
        let _written = render(&mut page, &api);
        page
    });
    &PAGE
}

fn render(page: &mut String, api: &Value) -> std::fmt::Result {
    let info = &api["info"];
    writeln!(page, "<h1>{} API {}</h1>", escaped(&info["title"]), escaped(&info["version"]))?;
    writeln!(page, "<p>{}</p>", escaped(&info["description"]))?;
    writeln!(page, "<p>The same for programs: <a href=\"/openapi.json\">openapi.json</a>.</p>")?;
    let mut tags: Vec<&str> = operations(api).filter_map(|(_, _, operation)| tag(operation)).collect();
    tags.sort_unstable();
    tags.dedup();
    for name in tags {
        writeln!(page, "<h2>{}</h2>", escape(name))?;
        for (path, method, operation) in operations(api).filter(|(_, _, found)| tag(found) == Some(name)) {
            render_operation(page, api, path, method, operation)?;
        }
    }
    writeln!(page, "<h2>Types</h2>")?;
    for (name, schema) in members(&api["components"]["schemas"]) {
        let id = escape(name);
        writeln!(
            page,
            "<details id=\"{id}\"><summary><code>{id}</code> {}</summary>",
            escaped(&schema["description"])
        )?;
        writeln!(page, "<pre>{}</pre></details>", escape(&format!("{schema:#}")))?;
    }
    writeln!(page, "</body></html>")
}

fn render_operation(
    page: &mut String,
    api: &Value,
    path: &str,
    method: &str,
    operation: &Value,
) -> std::fmt::Result {
    let (path, summary) = (escape(path), escaped(&operation["summary"]));
    let name = method.to_uppercase();
    writeln!(
        page,
        "<details><summary><b class=\"{method}\">{name}</b> <code>{path}</code> {summary}</summary>"
    )?;
    writeln!(page, "<p>{}</p>", escaped(&operation["description"]))?;
    let parameters = operation["parameters"].as_array().into_iter().flatten();
    let rows: String = parameters
        .map(|parameter| row(&[&parameter["name"], &parameter["in"], &parameter["description"]]))
        .collect();
    if !rows.is_empty() {
        writeln!(page, "<table><tr><th>parameter</th><th>in</th><th></th></tr>{rows}</table>")?;
    }
    for (media, content) in members(&operation["requestBody"]["content"]) {
        writeln!(page, "<p>Body: <code>{}</code> {}</p>", escape(media), link(&content["schema"]))?;
        if let Some(example) = example(api, content) {
            writeln!(page, "<pre>{}</pre>", escape(&format!("{example:#}")))?;
        }
    }
    writeln!(page, "<table><tr><th>status</th><th></th><th>body</th></tr>")?;
    for (status, response) in members(&operation["responses"]) {
        let response = resolved(api, response);
        let bodies: String = members(&response["content"])
            .map(|(media, content)| format!("<code>{}</code> {} ", escape(media), link(&content["schema"])))
            .collect();
        let description = escaped(&response["description"]);
        writeln!(page, "<tr><td>{}</td><td>{description}</td><td>{bodies}</td></tr>", escape(status))?;
    }
    writeln!(page, "</table></details>")
}

/// Each operation with its path and method, in the description's order.
fn operations(api: &Value) -> impl Iterator<Item = (&str, &str, &Value)> {
    members(&api["paths"])
        .flat_map(|(path, item)| members(item).map(move |(method, found)| (path, method, found)))
}

fn tag(operation: &Value) -> Option<&str> {
    operation["tags"][0].as_str()
}

fn members(value: &Value) -> impl Iterator<Item = (&str, &Value)> {
    value.as_object().into_iter().flat_map(Map::iter).map(|(name, value)| (name.as_str(), value))
}

/// What a reference leads to, or the value itself.
fn resolved<'a>(api: &'a Value, value: &'a Value) -> &'a Value {
    let pointer = value["$ref"].as_str().and_then(|reference| reference.strip_prefix('#'));
    pointer.and_then(|pointer| api.pointer(pointer)).unwrap_or(value)
}

/// The example of a body, or of its type.
fn example<'a>(api: &'a Value, content: &'a Value) -> Option<&'a Value> {
    content.get("example").or_else(|| resolved(api, &content["schema"]).get("example"))
}

/// The name of a type as a link to it.
fn link(schema: &Value) -> String {
    let reference = schema["$ref"].as_str().and_then(|reference| reference.rsplit('/').next());
    reference.map(|name| format!("<a href=\"#{0}\">{0}</a>", escape(name))).unwrap_or_default()
}

fn row(cells: &[&Value]) -> String {
    let cells: String = cells.iter().map(|cell| format!("<td>{}</td>", escaped(cell))).collect();
    format!("<tr>{cells}</tr>")
}

fn escaped(value: &Value) -> String {
    escape(value.as_str().unwrap_or_default())
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
