//! `report.html`: one file that needs nothing else, neither the network nor a server.
//!
//! The page holds the text and the tables as HTML, every chart as a static drawing for print and
//! for readers without scripts, and the data of the charts, which a script draws with the chart
//! library that the file carries.

mod figure;
mod plotly;
mod whole;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, Error, ErrorKind, UndefinedBehavior, Value, context};
use serde::Serialize;
use sha2::{Digest, Sha256};

use crate::report::chapter::{Block, Chapter, Paper, Stand};
use crate::report::chapters::standing::Standing;
use crate::report::chapters::{MACHINE, Report};
use crate::report::paper::palette::PALETTE;
use crate::report::paper::svg::drawing;
use crate::report::template::Filled;
use crate::report::words::joined;

/// The report could not be rendered: a fault of its template.
#[derive(Debug, thiserror::Error)]
#[error("failed to render the HTML report")]
pub struct HtmlError(#[from] minijinja::Error);

const PAGE: &str = include_str!("../templates/report.html.jinja");
const PARTS: &str = include_str!("../templates/parts.html.jinja");
const STYLE: &str = include_str!("../templates/report.css");
const SCRIPT: &str = include_str!("../templates/report.js");

/// The report as one self-contained HTML file. Everything inserted is escaped, so that names and
/// messages stay text, and a content security policy keeps anything else from running.
///
/// # Errors
/// A fault of the template.
pub fn html(report: &Report) -> Result<String, HtmlError> {
    page(report, &[])
}

/// The same with the whole performance template before the run in detail.
///
/// # Errors
/// A fault of the template.
pub fn full_html(report: &Report, full: &Filled) -> Result<String, HtmlError> {
    page(report, &whole::parts(&full.lines))
}

fn page(report: &Report, parts: &[whole::Part]) -> Result<String, HtmlError> {
    let library = plotly::library().map_err(|error| {
        Error::new(ErrorKind::InvalidOperation, "no chart library").with_source(error)
    })?;
    let (below, top): (Vec<Section>, Vec<Section>) = sections(report)
        .into_iter()
        .partition(|section| !section.title.is_empty());
    let (opening, evidence): (Vec<Section>, Vec<Section>) = below
        .into_iter()
        .partition(|section| section.stand == Stand::Open);
    let opening: Vec<Section> = opening
        .into_iter()
        .chain(parts.iter().map(of_template))
        .collect();
    let page = environment()?.get_template("report.html")?.render(context! {
        title => report.title.as_str(),
        reasons => evidence.iter().find(|section| section.id == MACHINE).map_or("", |section| section.title),
        top => Value::from(Serde(top)),
        opening => Value::from(Serde(opening)),
        evidence => Value::from(Serde(evidence)),
        drawings => Value::from(Serde(drawings(report))),
        policy => policy(&[&library, SCRIPT], STYLE),
        style => Value::from_safe_string(STYLE.into()),
        script => Value::from_safe_string(SCRIPT.into()),
        data => Value::from_safe_string(inline_json(&data(report))),
    })?;
    // Put in last: the template engine would copy its megabytes more than once.
    Ok(page.replacen(LIBRARY, &library, 1))
}

/// By the charts' ids.
fn drawings(report: &Report) -> serde_json::Map<String, serde_json::Value> {
    report
        .charts()
        .map(|chart| (chart.id.clone(), drawing(chart).into()))
        .collect()
}

/// For the script.
fn data(report: &Report) -> serde_json::Value {
    let charts: Vec<serde_json::Value> = report.charts().map(figure::figure).collect();
    serde_json::json!({
        "charts": charts,
        "palette": PALETTE,
        "standing": standing(report),
    })
}

/// The table whose rows are sorted, and whose baseline is chosen.
fn standing(report: &Report) -> Option<&Standing> {
    report
        .chapters(Paper::Page)
        .flat_map(|chapter| chapter.shown(Paper::Page))
        .find_map(|block| match block {
            Block::Standing(standing) => Some(standing),
            _ => None,
        })
}

/// A chapter, or its parts that follow each other.
#[derive(Serialize)]
struct Section<'a> {
    id: &'a str,
    name: &'a str,
    /// Empty where it stands at the top of the page.
    title: &'a str,
    stand: Stand,
    blocks: Vec<&'a Block>,
}

fn of_template(part: &whole::Part) -> Section<'_> {
    Section {
        id: &part.id,
        name: part.title,
        title: part.title,
        stand: Stand::Open,
        blocks: part.blocks.iter().collect(),
    }
}

fn sections(report: &Report) -> Vec<Section<'_>> {
    let mut sections: Vec<Section<'_>> = Vec::new();
    for chapter in report.chapters(Paper::Page) {
        let Chapter {
            id,
            name,
            title,
            stand,
            ..
        } = *chapter;
        match sections.last_mut() {
            Some(last) if last.id == id => last.blocks.extend(chapter.shown(Paper::Page)),
            _ => sections.push(Section {
                id,
                name,
                title,
                stand,
                blocks: chapter.shown(Paper::Page).collect(),
            }),
        }
    }
    sections
}

/// Nothing that is escaped can look like it.
const LIBRARY: &str = "<!--library-->";

fn environment() -> Result<Environment<'static>, Error> {
    let mut environment = Environment::new();
    environment.set_syntax(
        SyntaxConfig::builder()
            .trim_blocks(true)
            .lstrip_blocks(true)
            .build()?,
    );
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.add_filter("prose", |text: String| {
        Value::from_safe_string(prose(&text))
    });
    environment.add_template("parts.html", PARTS)?;
    environment.add_template("report.html", PAGE)?;
    Ok(environment)
}

/// Words between backticks are code.
fn prose(text: &str) -> String {
    let parts: Vec<String> = text.split('`').map(escaped).collect();
    if parts.len().is_multiple_of(2) {
        // One backtick has no partner.
        return parts.join("`");
    }
    parts
        .into_iter()
        .enumerate()
        .map(|(index, part)| match index % 2 {
            1 => format!("<code>{part}</code>"),
            _ => part,
        })
        .collect()
}

fn escaped(text: &str) -> String {
    figure::without_tags(text)
        .replace('"', "&quot;")
        .replace('\'', "&#x27;")
}

/// W3C, level 3. The empty style is the chart library's own, which it fills by rules.
fn policy(scripts: &[&str], style: &str) -> String {
    format!(
        "default-src 'none'; script-src {}; style-src {} {}; img-src data:; base-uri 'none'; form-action 'none'",
        joined(scripts.iter().map(|script| source(script)), " "),
        source(style),
        source(""),
    )
}

fn source(text: &str) -> String {
    format!("'sha256-{}'", STANDARD.encode(Sha256::digest(text)))
}

/// For a script element: no character of it can end the element or begin a comment.
fn inline_json(value: &serde_json::Value) -> String {
    let mut text = value.to_string();
    for character in ['<', '>', '&', '\u{2028}', '\u{2029}'] {
        text = text.replace(character, &format!("\\u{:04x}", u32::from(character)));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_between_backticks_are_code_and_stay_text() {
        assert_eq!(
            prose("give `--idle-gaps`, or `a<b>`"),
            "give <code>--idle-gaps</code>, or <code>a&lt;b&gt;</code>"
        );
        assert_eq!(
            prose("a name with one ` and \"<i>'&"),
            "a name with one ` and &quot;&lt;i&gt;&#x27;&amp;"
        );
        assert_eq!(prose("`<script>`"), "<code>&lt;script&gt;</code>");
    }
    #[test]
    fn hash_of_the_empty_style_is_the_published_one() {
        assert_eq!(
            source(""),
            "'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU='"
        );
    }

    #[test]
    fn json_cannot_end_its_element_and_reads_back_the_same() {
        let value = serde_json::json!({"name": "</script><!-- <script>&\u{2028}"});
        let text = inline_json(&value);
        assert!(
            !text.contains('<') && !text.contains('&') && !text.contains('\u{2028}'),
            "{text}"
        );
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&text).ok(),
            Some(value)
        );
    }
}
