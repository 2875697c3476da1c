//! `report.md`: the performance template's headings and fields, filled from the view.

use minijinja::syntax::SyntaxConfig;
use minijinja::value::{Serde, ValueKind};
use minijinja::{AutoEscape, Environment, Error, Output, State, UndefinedBehavior, Value};

use super::view::{ComparisonView, View, text};

/// The report could not be rendered: a fault of its template.
#[derive(Debug, thiserror::Error)]
#[error("failed to render the Markdown report")]
pub struct MarkdownError(#[from] minijinja::Error);

const REPORT: &str = include_str!("templates/report.md.jinja");
const COMPARISON: &str = include_str!("templates/comparison.md.jinja");
const TABLE: &str = include_str!("templates/table.md.jinja");

/// The report in Markdown (CommonMark with tables). Everything inserted is escaped, so that names and messages stay
/// text.
///
/// # Errors
/// A fault of the template.
pub fn markdown(view: &View) -> Result<String, MarkdownError> {
    Ok(environment()?.get_template("report.md")?.render(Value::from(Serde(view)))?)
}

/// A comparison of runs in Markdown, escaped likewise.
///
/// # Errors
/// A fault of the template.
pub fn comparison_markdown(view: &ComparisonView) -> Result<String, MarkdownError> {
    Ok(environment()?.get_template("comparison.md")?.render(Value::from(Serde(view)))?)
}

fn environment() -> Result<Environment<'static>, Error> {
    let mut environment = Environment::new();
    let syntax = SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).keep_trailing_newline(true).build()?;
    environment.set_syntax(syntax);
    environment.set_auto_escape_callback(|_| AutoEscape::Custom("markdown".into()));
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_formatter(escape);
    environment.add_filter("code", |text: String| Value::from_safe_string(text::code(&text)));
    environment.add_template("table.md", TABLE)?;
    environment.add_template("report.md", REPORT)?;
    environment.add_template("comparison.md", COMPARISON)?;
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
