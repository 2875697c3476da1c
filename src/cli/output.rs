//! What a command leaves behind: reports in the run's folder, and text on stdout or in a file.

use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::columns::columns;
use super::{CliError, exit, say};
use crate::analysis::{self, tuning::TuningVerdict};
use crate::export;
use crate::record::RunRecord;
use crate::report::Report;
use crate::report::{self, Color, Context, Glyphs, Style};
use crate::store::{RunFolder, StoreError, write_atomically, write_named};
use crate::text::harmless_json;

#[derive(Debug)]
pub(super) struct Reports {
    summary: String,
    /// The files in the order in which they are written: small ones first, so that a disk that is
    /// nearly full holds as many as it can; of one that could not be rendered, why not.
    files: Vec<(PathBuf, Result<Vec<u8>, CliError>)>,
    /// What the search came to; `None` if the run is none.
    pub(super) verdict: Option<TuningVerdict>,
}

impl Reports {
    /// Renders the record of a run that lies in `folder`; with a context, the written report holds
    /// the whole template.
    pub(super) fn render(
        record: &RunRecord,
        folder: &RunFolder,
        style: Style,
        context: Option<&Context>,
    ) -> Self {
        let findings = analysis::findings(record);
        let view = Report::new(record, &findings);
        let mut files = vec![(
            folder.cells_csv(),
            rendered(export::cells_csv(record, &findings, export::Names::Guarded)),
        )];
        if !record.operators.is_empty() {
            files.push((
                folder.operators_csv(),
                rendered(export::operators_csv(record, export::Names::Guarded)),
            ));
        }
        files.push((
            folder.report_md(),
            rendered(report::illustrated_markdown(&view, context).map(String::into_bytes)),
        ));
        let figures = folder.path().join(FIGURES);
        files.extend(
            drawings(&view)
                .into_iter()
                .map(|drawing| (figures.join(drawing.name), Ok(drawing.svg.into_bytes()))),
        );
        files.push((
            folder.report_html(),
            rendered(report::html(&view).map(String::into_bytes)),
        ));
        Reports {
            summary: report::terminal(&view, Some(folder.path()), style),
            files,
            verdict: findings.tuning.as_ref().map(|tuning| tuning.verdict),
        }
    }

    /// Writes the files in their order, as far as each of them can be.
    pub(super) fn write(&self, failures: &mut Failures) {
        for (path, content) in &self.files {
            failures.note(
                content
                    .as_ref()
                    .map_err(Clone::clone)
                    .and_then(|content| write_file(path, content)),
            );
        }
    }

    /// Prints the summary to stdout.
    pub(super) fn print_summary(&self) -> Result<(), CliError> {
        write(None, self.summary.as_bytes())
    }
}

fn rendered<T, E: std::error::Error>(result: Result<T, E>) -> Result<T, CliError> {
    result.map_err(|error| CliError::bug(&error))
}

/// Writes a file of reports, and its folder where there is none.
fn write_file(path: &Path, content: &[u8]) -> Result<(), CliError> {
    if let Some(folder) = path.parent() {
        create_folder(folder)?;
    }
    write_own(path, content)
}

/// Writes a file of ours that nobody named; nothing else is written to that lies in its place.
pub(super) fn write_own(path: &Path, content: &[u8]) -> Result<(), CliError> {
    write_atomically(path, content).map_err(|error| store_error(&error))
}

fn create_folder(folder: &Path) -> Result<(), CliError> {
    std::fs::create_dir_all(folder).map_err(|error| {
        CliError::message(
            exit::BAD_INPUT,
            format!("failed to create `{}`: {error}", folder.display()),
        )
    })
}

/// A folder of ours that nobody named must be one: a link could lead anywhere.
fn refuse_link(folder: &Path) -> Result<(), CliError> {
    if std::fs::symlink_metadata(folder).is_ok_and(|found| found.is_symlink()) {
        let link = CliError::message(
            exit::BAD_INPUT,
            format!("`{}` is a link, and is not followed", folder.display()),
        );
        return Err(link
            .with_hint("remove it, or name a file in another folder with `--output`".to_owned()));
    }
    Ok(())
}

/// What could not be written, while the rest was.
#[derive(Debug, Default)]
pub(super) struct Failures(Vec<CliError>);

impl Failures {
    pub(super) fn note(&mut self, result: Result<(), CliError>) {
        self.0.extend(result.err());
    }

    /// All of them as one error, which names each; the worst tells the exit code.
    pub(super) fn into_result(self) -> Result<(), CliError> {
        let mut failures = self.0;
        failures.sort_by_key(|failure| failure.code != exit::BUG);
        if failures.len() < 2 {
            return failures.pop().map_or(Ok(()), Err);
        }
        let head = format!("{} files could not be written", failures.len());
        let each = failures.iter().map(|failure| failure.chain.join(": "));
        let chain = std::iter::once(head).chain(each).collect();
        let hint = failures.iter().find_map(|failure| failure.hint.clone());
        Err(CliError {
            code: failures[0].code,
            chain,
            hint,
        })
    }
}

const FIGURES: &str = "figures";

#[derive(Debug)]
pub(super) struct Drawing {
    name: String,
    svg: String,
}

pub(super) fn drawings(report: &Report) -> Vec<Drawing> {
    report
        .charts()
        .map(|chart| Drawing {
            name: format!("{}.svg", chart.id),
            svg: report::svg(chart),
        })
        .collect()
}

/// Writes the charts into `figures/` within `folder`, where report.md looks for them.
pub(super) fn write_drawings(folder: &Path, drawings: &[Drawing]) -> Result<(), CliError> {
    if drawings.is_empty() {
        return Ok(());
    }
    let figures = folder.join(FIGURES);
    refuse_link(&figures)?;
    create_folder(&figures)?;
    drawings
        .iter()
        .try_for_each(|drawing| write_own(&figures.join(&drawing.name), drawing.svg.as_bytes()))
}

/// Where a rendered text goes, and in which dress.
#[derive(Debug, clap::Args)]
pub(super) struct Destination {
    /// File to write instead of stdout.
    #[arg(long, value_name = "FILE")]
    pub(super) output: Option<PathBuf>,

    /// Plain text, also on a terminal; so does the environment variable NO_COLOR.
    #[arg(long)]
    no_color: bool,
}

impl Destination {
    /// How a text looks there: a file has neither colour nor a width of its own.
    pub(super) fn style(&self) -> Style {
        match self.output {
            Some(_) => Style {
                glyphs: glyphs(),
                ..Color::Never.into()
            },
            None => style(self.no_color),
        }
    }

    /// Writes the text there.
    pub(super) fn write(&self, text: &[u8]) -> Result<(), CliError> {
        write(self.output.as_deref(), text)
    }
}

/// Writes a text to a file that the user named, or to stdout.
pub(super) fn write(path: Option<&Path>, text: &[u8]) -> Result<(), CliError> {
    match path {
        Some(path) => write_named(path, text).map_err(|error| store_error(&error)),
        None => say::result(text),
    }
}

/// A value as JSON for programs, with a line's end.
pub(super) fn json(value: &impl Serialize) -> Result<String, CliError> {
    let text = serde_json::to_string_pretty(value).map_err(|error| CliError::bug(&error))?;
    Ok(harmless_json(&text).into_owned() + "\n")
}

pub(super) fn style(no_color: bool) -> Style {
    Style {
        color: color(no_color),
        glyphs: glyphs(),
        width: columns(),
    }
}

/// Whether stdout takes colour: a terminal does, unless the option or the environment variable
/// `NO_COLOR` says no.
fn color(no_color: bool) -> Color {
    let refused = no_color || std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    if !refused && io::stdout().is_terminal() {
        Color::Always
    } else {
        Color::Never
    }
}

/// The characters that the terminal can show: those of ASCII where it calls itself dumb, or where
/// the locale says so.
fn glyphs() -> Glyphs {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
        .into_iter()
        .find_map(variable);
    glyphs_of(variable("TERM").as_deref(), locale.as_deref())
}

/// A variable of the environment that is not empty.
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// A locale that is not told is none that speaks against UTF-8: containers set none.
fn glyphs_of(term: Option<&str>, locale: Option<&str>) -> Glyphs {
    let encoding = locale.map(|locale| locale.to_lowercase().replace('-', ""));
    let is_utf8 = encoding.is_none_or(|encoding| encoding.contains("utf8"));
    if term == Some("dumb") || !is_utf8 {
        Glyphs::Ascii
    } else {
        Glyphs::Unicode
    }
}

pub(super) fn store_error(error: &StoreError) -> CliError {
    CliError::new(exit::BAD_INPUT, error).with_hint(error.hint())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dumb_terminals_and_other_locales_get_ascii() {
        assert_eq!(
            glyphs_of(Some("xterm"), Some("en_US.UTF-8")),
            Glyphs::Unicode
        );
        assert_eq!(glyphs_of(Some("xterm"), Some("C.utf8")), Glyphs::Unicode);
        assert_eq!(glyphs_of(None, None), Glyphs::Unicode);
        assert_eq!(glyphs_of(Some("dumb"), Some("en_US.UTF-8")), Glyphs::Ascii);
        assert_eq!(
            glyphs_of(Some("xterm"), Some("de_DE.ISO-8859-1")),
            Glyphs::Ascii
        );
        assert_eq!(glyphs_of(Some("xterm"), Some("C")), Glyphs::Ascii);
    }
}
