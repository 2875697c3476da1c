//! `report.html`: one file that needs nothing else, neither the network nor a server.
//!
//! The page holds the text and the tables as HTML, every chart as a static drawing for print and for readers without
//! scripts, and the data of the charts, which a script draws with the chart library that the file carries.

mod figure;
mod plotly;
mod policy;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, Error, ErrorKind, UndefinedBehavior, Value, context};
use serde::Serialize;

use crate::report::chapter::{Block, Chapter, Paper};
use crate::report::chapters::{MACHINE, Report};
use crate::report::paper::palette::PALETTE;
use crate::report::paper::svg::svg;

/// The report could not be rendered: a fault of its template.
#[derive(Debug, thiserror::Error)]
#[error("failed to render the HTML report")]
pub struct HtmlError(#[from] minijinja::Error);

const PAGE: &str = include_str!("../templates/report.html.jinja");
const PARTS: &str = include_str!("../templates/parts.html.jinja");
const STYLE: &str = include_str!("../templates/report.css");
const SCRIPT: &str = include_str!("../templates/report.js");

/// The report as one self-contained HTML file. Everything inserted is escaped, so that names and messages stay text, and
/// a content security policy keeps anything else from running.
///
/// # Errors
/// A fault of the template.
pub fn html(report: &Report) -> Result<String, HtmlError> {
    let library = plotly::library()
        .map_err(|error| Error::new(ErrorKind::InvalidOperation, "no chart library").with_source(error))?;
    let charts: Vec<serde_json::Value> = report.charts().map(figure::figure).collect();
    let palette: Vec<[&str; 2]> = PALETTE.iter().map(|dress| [dress.on_white, dress.on_dark]).collect();
    let drawings: serde_json::Map<String, serde_json::Value> =
        report.charts().map(|chart| (chart.id.clone(), svg(chart).into())).collect();
    let (sections, top): (Vec<Section>, Vec<Section>) =
        sections(report).into_iter().partition(|section| !section.title.is_empty());
    let page = environment()?.get_template("report.html")?.render(context! {
        title => report.title.as_str(),
        reasons => sections.iter().find(|section| section.id == MACHINE).map_or("", |section| section.title),
        top => Value::from(Serde(top)),
        sections => Value::from(Serde(sections)),
        drawings => Value::from(Serde(drawings)),
        policy => policy::policy(&[&library, SCRIPT], STYLE),
        style => Value::from_safe_string(STYLE.into()),
        script => Value::from_safe_string(SCRIPT.into()),
        data => Value::from_safe_string(policy::inline_json(&serde_json::json!({"charts": charts, "palette": palette}))),
    })?;
    // Put in last: the template engine would copy its megabytes more than once.
    Ok(page.replacen(LIBRARY, &library, 1))
}

/// A chapter, or its parts that follow each other.
#[derive(Serialize)]
struct Section<'a> {
    id: &'a str,
    name: &'a str,
    /// Empty where it stands at the top of the page.
    title: &'a str,
    blocks: Vec<&'a Block>,
}

fn sections(report: &Report) -> Vec<Section<'_>> {
    let mut sections: Vec<Section<'_>> = Vec::new();
    for chapter in report.chapters(Paper::Page) {
        let Chapter { id, name, title, .. } = *chapter;
        match sections.last_mut() {
            Some(last) if last.id == id => last.blocks.extend(chapter.shown(Paper::Page)),
            _ => sections.push(Section { id, name, title, blocks: chapter.shown(Paper::Page).collect() }),
        }
    }
    sections
}

/// Nothing that is escaped can look like it.
const LIBRARY: &str = "<!--library-->";

fn environment() -> Result<Environment<'static>, Error> {
    let mut environment = Environment::new();
    environment.set_syntax(SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).build()?);
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.add_filter("prose", |text: String| Value::from_safe_string(prose(&text)));
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
    let part = |(index, part): (usize, String)| if index % 2 == 1 { format!("<code>{part}</code>") } else { part };
    parts.into_iter().enumerate().map(part).collect()
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#x27;"),
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_between_backticks_are_code_and_stay_text() {
        assert_eq!(prose("give `--idle-gaps`, or `a<b>`"), "give <code>--idle-gaps</code>, or <code>a&lt;b&gt;</code>");
        assert_eq!(prose("a name with one ` and \"<i>'&"), "a name with one ` and &quot;&lt;i&gt;&#x27;&amp;");
        assert_eq!(prose("`<script>`"), "<code>&lt;script&gt;</code>");
    }
}
