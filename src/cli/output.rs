//! Output of a command: reports in the run's folder, and text on stdout or in a file.

use std::error::Error;
use std::io::{self, IsTerminal};
use std::path::{Path, PathBuf};

use serde::Serialize;

use super::columns::columns;
use super::json::{self, Answer, Decision, JsonArgs};
use super::{CliError, Result, exit, say};
use crate::analysis::{self, Findings};
use crate::export;
use crate::report::{self, Beside, Color, Filled, Glyphs, Report, Style};
use crate::runner::Ran;
use crate::store::{write_atomically, write_named};

#[derive(Debug)]
pub(super) struct Reports {
    /// Text that is printed.
    pub(super) printed: Result<String>,
    /// The files in the order in which they are written: small ones first, so that a disk that is
    /// nearly full holds as many as it can; of one that could not be rendered, why not.
    files: Vec<(PathBuf, Result<Vec<u8>>)>,
    /// What to do, as far as the run decides it.
    pub(super) judgement: analysis::RunJudgement,
}

impl Reports {
    /// Renders the record of a run; with what there is beside it, the written report and the page
    /// hold the whole template.
    pub(super) fn render(ran: &Ran, printed: Printed, beside: Option<&Beside>) -> Self {
        let Ran { record, folder, .. } = ran;
        let findings = analysis::findings(record);
        let view = Report::new(record, &findings);
        let guarded = export::Names::Guarded;
        let cells = export::cells_csv(record, &findings, guarded);
        let mut files = vec![(folder.cells_csv(), cells.map_err(CliError::bug))];
        if findings.load.is_some() {
            let load = export::load_csv(record, &findings, guarded);
            files.push((folder.load_csv(), load.map_err(CliError::bug)));
        }
        if !record.operators.is_empty() {
            let operators = export::operators_csv(record, guarded);
            files.push((folder.operators_csv(), operators.map_err(CliError::bug)));
        }
        let full = beside.map(|beside| Filled::new(record, &findings, beside));
        files.push((
            folder.report_md(),
            in_bytes(report::illustrated_markdown(&view, full.as_ref())),
        ));
        let figures = folder.path().join(FIGURES);
        let drawings = drawings(&view).into_iter();
        files.extend(
            drawings.map(|drawing| (figures.join(drawing.name), Ok(drawing.svg.into_bytes()))),
        );
        let page = match &full {
            Some(full) => report::full_html(&view, full),
            None => report::html(&view),
        };
        files.push((folder.report_html(), in_bytes(page)));
        Reports {
            printed: printed.text(&Told {
                folder: folder.path(),
                view: &view,
                findings: &findings,
            }),
            files,
            judgement: findings.decisions.judgement,
        }
    }

    /// Writes the files in their order, as far as each of them can be.
    pub(super) fn write(&self, failures: &mut Failures) {
        for (path, content) in &self.files {
            failures.note(match content {
                Ok(content) => write_file(path, content),
                Err(error) => Err(error.clone()),
            });
        }
    }
}

/// What is printed of a run.
#[derive(Clone, Copy, Debug)]
pub(super) enum Printed {
    /// The summary for people.
    Summary(Style),
    /// The findings for programs, as this command's.
    Json(&'static str),
}

/// A run of which something is printed.
#[derive(Clone, Copy)]
pub(super) struct Told<'a> {
    pub folder: &'a Path,
    pub view: &'a Report,
    pub findings: &'a Findings,
}

/// What `--json` prints of a run.
#[derive(Serialize)]
pub(super) struct RunData<'a> {
    /// Folder of the run.
    pub(super) folder: &'a Path,
    #[serde(flatten)]
    pub(super) findings: &'a Findings,
}

impl Printed {
    pub(super) fn of(json: JsonArgs, command: &'static str, style: Style) -> Self {
        if json.json {
            Printed::Json(command)
        } else {
            Printed::Summary(style)
        }
    }

    pub(super) fn text(self, run: &Told<'_>) -> Result<String> {
        match self {
            Printed::Summary(style) => Ok(report::screen(run.view, Some(run.folder), style)),
            Printed::Json(command) => run.json(command),
        }
    }
}

impl Told<'_> {
    /// The findings for programs, with the answer of the run.
    fn json(&self, command: &str) -> Result<String> {
        let decision = self.findings.decisions.judgement.decision;
        let answer = Answer::of(&self.view.verdict, Decision::Run(decision));
        let data = RunData {
            folder: self.folder,
            findings: self.findings,
        };
        json::document(command, Some(&answer), &data)
    }
}

fn in_bytes(text: Result<String, impl Error>) -> Result<Vec<u8>> {
    text.map(String::into_bytes).map_err(CliError::bug)
}

/// Writes a file of reports, and its folder where there is none.
fn write_file(path: &Path, content: &[u8]) -> Result<()> {
    if let Some(folder) = path.parent() {
        create_folder(folder)?;
    }
    write_own(path, content)
}

/// Writes a file of ours that nobody named; nothing else is written to that lies in its place.
pub(super) fn write_own(path: &Path, content: &[u8]) -> Result<()> {
    Ok(write_atomically(path, content)?)
}

fn create_folder(folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder).map_err(|error| {
        let message = format!("failed to create `{}`: {error}", folder.display());
        CliError::message(exit::BAD_INPUT, message)
    })
}

/// A folder of ours that nobody named must be one: a link could lead anywhere.
fn refuse_link(folder: &Path) -> Result<()> {
    if folder.is_symlink() {
        return Err(CliError::bad_input(
            format!("`{}` is a link, and is not followed", folder.display()),
            "remove it, or name a file in another folder with `--output`",
        ));
    }
    Ok(())
}

/// Errors of files that could not be written, while the rest was.
#[derive(Debug, Default)]
pub(super) struct Failures(Vec<CliError>);

impl Failures {
    pub(super) fn note(&mut self, result: Result<()>) {
        self.add(result.err());
    }

    pub(super) fn add(&mut self, failure: Option<CliError>) {
        self.0.extend(failure);
    }

    /// All of them as one error, which names each; the worst tells the exit code.
    pub(super) fn into_result(mut self) -> Result<()> {
        let count = self.0.len();
        self.0.sort_by_key(|failure| failure.code != exit::BUG);
        let Some(worst) = self.0.first() else {
            return Ok(());
        };
        if count == 1 {
            return Err(worst.clone());
        }
        let mut chain = vec![format!("{count} files could not be written")];
        chain.extend(self.0.iter().map(|failure| failure.chain.join(": ")));
        let hint = self.0.iter().find_map(|failure| failure.hint.clone());
        Err(CliError {
            code: worst.code,
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
pub(super) fn write_drawings(folder: &Path, drawings: &[Drawing]) -> Result<()> {
    if drawings.is_empty() {
        return Ok(());
    }
    let figures = folder.join(FIGURES);
    refuse_link(&figures)?;
    create_folder(&figures)?;
    drawings
        .iter()
        .try_for_each(|one| write_own(&figures.join(&one.name), one.svg.as_bytes()))
}

/// Where a rendered text goes, and in which dress.
#[derive(Debug, clap::Args)]
pub(super) struct Destination {
    /// File to write instead of stdout.
    #[arg(long, value_name = "FILE", conflicts_with = "json")]
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
    pub(super) fn write(&self, text: &[u8]) -> Result<()> {
        write(self.output.as_deref(), text)
    }
}

/// Writes a text to a file that the user named, or to stdout.
pub(super) fn write(path: Option<&Path>, text: &[u8]) -> Result<()> {
    match path {
        Some(path) => Ok(write_named(path, text)?),
        None => say::result(text),
    }
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
    let is_refused =
        no_color || std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    if !is_refused && io::stdout().is_terminal() {
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
    if term == Some("dumb") || encoding.is_some_and(|encoding| !encoding.contains("utf8")) {
        Glyphs::Ascii
    } else {
        Glyphs::Unicode
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dumb_terminals_and_other_locales_get_ascii() {
        let on_xterm = |locale| glyphs_of(Some("xterm"), Some(locale));
        for locale in ["en_US.UTF-8", "C.utf8"] {
            assert_eq!(on_xterm(locale), Glyphs::Unicode, "{locale}");
        }
        for locale in ["de_DE.ISO-8859-1", "C"] {
            assert_eq!(on_xterm(locale), Glyphs::Ascii, "{locale}");
        }
        assert_eq!(glyphs_of(None, None), Glyphs::Unicode);
        assert_eq!(glyphs_of(Some("dumb"), Some("en_US.UTF-8")), Glyphs::Ascii);
    }
}
