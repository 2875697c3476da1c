//! `report.md`: the performance template's headings and fields, filled from the view.

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Serde, ValueKind};
use minijinja::{AutoEscape, Environment, Error, Output, State, UndefinedBehavior, Value};
use serde::Serialize;

use crate::report::template::{Context, Line, lines};
use crate::report::view::{ComparisonView, Section, View, text};

/// The report could not be rendered: a fault of its template.
#[derive(Debug, thiserror::Error)]
#[error("failed to render the Markdown report")]
pub struct MarkdownError(#[from] minijinja::Error);

const REPORT: &str = include_str!("templates/report.md.jinja");
const COMPARISON: &str = include_str!("templates/comparison.md.jinja");
const SECTION: &str = include_str!("templates/section.md.jinja");
const TABLE: &str = include_str!("templates/table.md.jinja");

/// Whether a report in Markdown shows the charts.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pictures {
    /// As files beside it.
    Beside,
    /// Not at all.
    None,
}

/// The report in Markdown (CommonMark with tables), without the charts. Everything inserted is escaped, so that names and
/// messages stay text.
///
/// # Errors
/// A fault of the template.
pub fn markdown(view: &View) -> Result<String, MarkdownError> {
    render(view, &[], Pictures::None)
}

/// The whole performance template in Markdown, filled from the view and from what people gave, with the run in detail
/// after it; escaped likewise.
///
/// # Errors
/// A fault of the template.
pub fn full_markdown(view: &View, context: &Context) -> Result<String, MarkdownError> {
    render(view, &lines(view, context), Pictures::None)
}

/// The report, or with a context the whole template, with the charts, which it expects beside it: one `figures/ID.svg`
/// for each of [`View::figures`].
///
/// # Errors
/// A fault of the template.
pub fn illustrated_markdown(view: &View, context: Option<&Context>) -> Result<String, MarkdownError> {
    let full = context.map(|context| lines(view, context)).unwrap_or_default();
    render(view, &full, Pictures::Beside)
}

/// What the report's template is given.
#[derive(Serialize)]
struct Page<'a> {
    #[serde(flatten)]
    view: &'a View,
    /// The whole performance template; empty in the ordinary report.
    full: &'a [Line],
}

fn render(view: &View, full: &[Line], pictures: Pictures) -> Result<String, MarkdownError> {
    Ok(environment(pictures)?.get_template("report.md")?.render(Value::from(Serde(&Page { view, full })))?)
}

/// A comparison of runs in Markdown, escaped likewise.
///
/// # Errors
/// A fault of the template.
pub fn comparison_markdown(view: &ComparisonView) -> Result<String, MarkdownError> {
    Ok(environment(Pictures::None)?.get_template("comparison.md")?.render(Value::from(Serde(view)))?)
}

/// A part of a report on its own in Markdown, escaped likewise.
///
/// # Errors
/// A fault of the template.
pub fn section_markdown(section: &Section) -> Result<String, MarkdownError> {
    Ok(environment(Pictures::None)?.get_template("section.md")?.render(Value::from(Serde(section)))?)
}

fn environment(pictures: Pictures) -> Result<Environment<'static>, Error> {
    let mut environment = Environment::new();
    let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).keep_trailing_newline(true).build()?;
    environment.set_syntax(syntax);
    environment.set_auto_escape_callback(|_| AutoEscape::Custom("markdown".into()));
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_formatter(escape);
    environment.add_filter("code", |text: String| Value::from_safe_string(text::code(&text)));
    environment.add_filter("verbatim", Value::from_safe_string);
    environment.add_global("with_pictures", pictures == Pictures::Beside);
    environment.add_template("table.md", TABLE)?;
    environment.add_template("report.md", REPORT)?;
    environment.add_template("comparison.md", COMPARISON)?;
    environment.add_template("section.md", SECTION)?;
    Ok(environment)
}

fn escape(out: &mut Output<'_>, _: &mut State<'_, '_>, value: &Value) -> Result<(), Error> {
    let shown = if value.is_safe() || value.kind() == ValueKind::Number {
        value.to_string()
    } else {
        text::markdown(&value.to_string())
    };
    out.write_str(&shown).map_err(|_| Error::new(minijinja::ErrorKind::WriteFailure, "cannot write the report"))
}
