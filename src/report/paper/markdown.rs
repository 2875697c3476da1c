//! `report.md`: the performance template's headings and fields, filled from the view.

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Serde, ValueKind};
use minijinja::{AutoEscape, Environment, Error, Output, State, UndefinedBehavior, Value};
use serde::Serialize;

use crate::report::chapter::{Block, Chapter, Paper};
use crate::report::chapters::{MACHINE, Report};
use crate::report::template::{Filled, Line};
use crate::report::view::{ComparisonView, Section, text};

/// The report could not be rendered: a fault of its template.
#[derive(Debug, thiserror::Error)]
#[error("failed to render the Markdown report")]
pub struct MarkdownError(#[from] minijinja::Error);

const REPORT: &str = include_str!("templates/report.md.jinja");
const BLOCKS: &str = include_str!("templates/blocks.md.jinja");
const COMPARISON: &str = include_str!("templates/comparison.md.jinja");
const SECTION: &str = include_str!("templates/section.md.jinja");
const TABLE: &str = include_str!("templates/table.md.jinja");

#[derive(Clone, Copy, PartialEq)]
enum Pictures {
    Beside,
    None,
}

/// The report in Markdown (CommonMark with tables), without the charts. Everything inserted is
/// escaped, so that names and messages stay text.
///
/// # Errors
/// A fault of the template.
pub fn markdown(report: &Report) -> Result<String, MarkdownError> {
    render(report, &[], Pictures::None)
}

/// The whole performance template in Markdown, with the run in detail after it; escaped likewise.
///
/// # Errors
/// A fault of the template.
pub fn full_markdown(report: &Report, full: &Filled) -> Result<String, MarkdownError> {
    render(report, &full.lines, Pictures::None)
}

/// The report, or the whole template where it is filled, with the charts, which it expects beside it:
/// one `figures/ID.svg` for each of [`Report::charts`].
///
/// # Errors
/// A fault of the template.
pub fn illustrated_markdown(
    report: &Report,
    full: Option<&Filled>,
) -> Result<String, MarkdownError> {
    let lines = full.map_or(&[][..], |full| &full.lines);
    render(report, lines, Pictures::Beside)
}

#[derive(Serialize)]
struct Page<'a> {
    title: &'a str,
    chapters: Vec<Shown<'a>>,
    /// Empty for the shorter report.
    full: &'a [Line],
    /// Of the chapter that gives the reasons of alarms.
    reasons: &'a str,
}

#[derive(Serialize)]
struct Shown<'a> {
    /// Empty where nothing stands above it.
    title: &'a str,
    blocks: Vec<&'a Block>,
}

impl<'a> Shown<'a> {
    /// Charts stand behind everything else, if they lie beside the report.
    fn new(chapter: &'a Chapter, paper: Paper, pictures: Pictures) -> Self {
        let (charts, mut blocks): (Vec<&Block>, Vec<&Block>) = chapter
            .shown(paper)
            .partition(|block| matches!(block, Block::Charts(_)));
        if pictures == Pictures::Beside {
            blocks.extend(charts);
        }
        Shown {
            title: if chapter.is_titled { chapter.title } else { "" },
            blocks,
        }
    }
}

fn render(report: &Report, full: &[Line], pictures: Pictures) -> Result<String, MarkdownError> {
    let paper = if full.is_empty() {
        Paper::Written
    } else {
        Paper::Appendix
    };
    let chapters: Vec<&Chapter> = report.chapters(paper).collect();
    let is_titled = |chapter: &&&Chapter| chapter.is_titled && chapter.id == MACHINE;
    let page = Page {
        title: &report.title,
        reasons: chapters
            .iter()
            .find(is_titled)
            .map_or("", |chapter| chapter.title),
        chapters: chapters
            .iter()
            .map(|chapter| Shown::new(chapter, paper, pictures))
            .collect(),
        full,
    };
    Ok(format!("{}\n", filled("report.md", &page)?.trim_end()))
}

/// A comparison of runs in Markdown, escaped likewise.
///
/// # Errors
/// A fault of the template.
pub fn comparison_markdown(view: &ComparisonView) -> Result<String, MarkdownError> {
    filled("comparison.md", view)
}

/// A part of a report on its own in Markdown, escaped likewise.
///
/// # Errors
/// A fault of the template.
pub fn section_markdown(section: &Section) -> Result<String, MarkdownError> {
    filled("section.md", section)
}

fn filled<T: Serialize>(template: &str, with: &T) -> Result<String, MarkdownError> {
    Ok(environment()?
        .get_template(template)?
        .render(Value::from(Serde(with)))?)
}

fn environment() -> Result<Environment<'static>, Error> {
    let mut environment = Environment::new();
    environment.set_syntax(
        SyntaxConfig::builder()
            .trim_blocks(true)
            .lstrip_blocks(true)
            .keep_trailing_newline(true)
            .build()?,
    );
    environment.set_auto_escape_callback(|_| AutoEscape::Custom("markdown".into()));
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_formatter(escape);
    environment.add_filter("code", |text: String| {
        Value::from_safe_string(text::code(&text))
    });
    environment.add_filter("verbatim", Value::from_safe_string);
    environment.add_template("table.md", TABLE)?;
    environment.add_template("blocks.md", BLOCKS)?;
    environment.add_template("report.md", REPORT)?;
    environment.add_template("comparison.md", COMPARISON)?;
    environment.add_template("section.md", SECTION)?;
    Ok(environment)
}

fn escape(out: &mut Output<'_>, _: &mut State<'_, '_>, value: &Value) -> Result<(), Error> {
    let shown = if value.is_safe() || value.kind() == ValueKind::Number {
        value.to_string()
    } else {
        text::markdown_prose(&value.to_string())
    };
    out.write_str(&shown).map_err(|_| {
        Error::new(
            minijinja::ErrorKind::WriteFailure,
            "cannot write the report",
        )
    })
}
