//! report.html in a real browser: Chromium, found by `ONNXPROF_CHROMIUM` or on the path.

mod browser;
mod devtools;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use onnxprof::analysis;
use onnxprof::metric::Metric;
use onnxprof::record::{Fitness, FitnessReason, FitnessVerdict, RunRecord};
use onnxprof::report::view::number;
use onnxprof::report::{self, Block, Chapter, Paper, Report};

use crate::support::Onnxprof;
use crate::support::record::{self, RunShape, VariantShape};
use crate::workbench::wait_until;
use browser::{Page, page};

/// The page as it is after the chart library, whose text is not ours.
fn skeleton(page: &str) -> String {
    let library = "/**\n* plotly.js";
    let (before, rest) = page.split_once(library).unwrap();
    let (_, after) = rest.split_once("</script>").unwrap();
    format!("{before}[the chart library]</script>{after}")
}

fn html(run: &RunRecord) -> String {
    report::html(&Report::new(run, &analysis::findings(run))).unwrap()
}

/// Two variants, one of them named by someone with bad intentions.
fn hostile() -> RunRecord {
    let variant = |name: &str, ns: f64| VariantShape::new(name, "fp32", ns, 100_000);
    record::build(&RunShape {
        name: "</script><script>alert(1)</script>".into(),
        variants: vec![
            variant("<script>alert(1)</script>", 200_000.0),
            variant("<!--\"'</title><img src=x onerror=alert(2)>", 150_000.0),
        ],
        batch_sizes: vec![1, 2, 4],
        rounds: 6,
        alternations: 2,
        block_inferences: 40,
        samples: 60,
    })
}

#[test]
fn html_report_of_the_digits_run() {
    let page = html(&record::digits());
    let mut settings = insta::Settings::clone_current();
    settings.add_filter(r#"<svg[\s\S]*?</svg>"#, "[drawing]");
    settings.add_filter(r#"<style>[\s\S]*?</style>"#, "<style>[style]</style>");
    settings.add_filter(r#"id="data">.*</script>"#, r#"id="data">[data]</script>"#);
    settings.add_filter(r#"sha256-([A-Za-z0-9+=]|&#x2f;)+"#, "sha256-[hash]");
    settings.add_filter(
        r#"<script>\n"use strict"[\s\S]*?</script>"#,
        "<script>[script]</script>",
    );
    settings.add_filter(r#"</caption>[\s\S]*?</table>"#, "</caption>[rows]</table>");
    settings.bind(|| insta::assert_snapshot!(skeleton(&page)));
}

#[test]
fn page_names_nothing_outside_itself() {
    let page = skeleton(&html(&record::digits()));
    let page = page.replace("http://www.w3.org/2000/svg", "");
    for word in [
        "http:", "https:", "src=", "@import", "url(", "<link", "<iframe",
    ] {
        assert!(!page.contains(word), "{word}");
    }
    assert!(
        page.contains("default-src &#x27;none&#x27;;") || page.contains("default-src 'none';"),
        "no policy"
    );
}

fn table_title(block: &Block) -> Option<&str> {
    if let Block::Table(placed) = block {
        Some(&placed.table.title)
    } else {
        None
    }
}

/// What a paper shows, from its first chapter to its last.
fn all_blocks(report: &Report, paper: Paper) -> Vec<&Block> {
    report
        .chapters(paper)
        .flat_map(|chapter: &Chapter| chapter.shown(paper))
        .collect()
}

#[test]
fn every_table_of_the_written_report_is_in_the_page() {
    let run = record::digits();
    let view = Report::new(&run, &analysis::findings(&run));
    let page = skeleton(&report::html(&view).unwrap());
    let written = all_blocks(&view, Paper::Written);
    let titles: Vec<&str> = written.into_iter().filter_map(table_title).collect();
    assert!(titles.len() >= 4, "{titles:?}");
    for title in titles {
        assert!(
            page.contains(&format!("<caption>{title}</caption>")),
            "{title}"
        );
    }
    for chart in view.charts() {
        assert!(!chart.table.rows.is_empty(), "{} has no table", chart.id);
        assert!(
            page.contains(&format!("data-chart=\"{}\"", chart.id)),
            "{}",
            chart.id
        );
    }
}

/// What a block of a written report advises, with what was measured that says so.
fn advised(block: &Block) -> Vec<String> {
    match block {
        Block::Numbered(numbered) => {
            let items = numbered.entries.iter().flat_map(|entry| &entry.fields);
            items
                .filter(|item| item.is_code || item.label == "Evidence")
                .map(|item| item.text.clone())
                .collect()
        }
        Block::Commands(items) => items
            .iter()
            .flat_map(|item| [item.label.clone(), item.text.clone()])
            .collect(),
        Block::Legend(text) => vec![text.clone()],
        _ => Vec::new(),
    }
}

#[test]
fn advice_of_the_written_report_is_in_the_page() {
    let run = record::digits();
    let view = Report::new(&run, &analysis::findings(&run));
    let page = skeleton(&report::html(&view).unwrap());
    let page = page
        .replace("&#x27;", "'")
        .replace("&#x2f;", "/")
        .replace("&lt;", "<");
    let told: Vec<String> = all_blocks(&view, Paper::Written)
        .into_iter()
        .flat_map(advised)
        .collect();
    assert!(told.len() > 15, "{told:?}");
    for text in told {
        assert!(page.contains(text.as_str()), "`{text}` is not in the page");
    }
}

#[test]
fn every_point_and_interval_lies_within_its_chart() {
    let run = record::digits();
    let view = Report::new(&run, &analysis::findings(&run));
    let mut ends_count = 0;
    for chart in view.charts() {
        for point in chart.series.iter().flat_map(|series| &series.points) {
            let spread = |ends: Option<(f64, f64)>| {
                ends.map(|(low, high)| [low, high]).into_iter().flatten()
            };
            let [x, y] =
                [&chart.x, &chart.y].map(|axis| axis.low.min(axis.high)..=axis.low.max(axis.high));
            ends_count += spread(point.x_ends).chain(spread(point.y_ends)).count();
            for value in spread(point.x_ends).chain([point.x]) {
                assert!(
                    x.contains(&value),
                    "{}: {value} is not within {x:?}: {}",
                    chart.id,
                    point.label
                );
            }
            for value in spread(point.y_ends).chain([point.y]) {
                assert!(
                    y.contains(&value),
                    "{}: {value} is not within {y:?}: {}",
                    chart.id,
                    point.label
                );
            }
        }
    }
    assert!(ends_count > 50, "{ends_count}");
}

#[test]
fn hostile_names_are_escaped_in_the_page_and_in_drawings() {
    let run = hostile();
    let view = Report::new(&run, &analysis::findings(&run));
    let page = skeleton(&report::html(&view).unwrap());
    assert!(!page.contains("<script>alert"), "a script of a name");
    assert!(!page.contains("<img"), "an element of a name");
    for chart in view.charts() {
        let drawing = report::svg(chart);
        assert!(
            !drawing.contains("<script") && !drawing.contains("<img"),
            "{}",
            chart.id
        );
    }
}

#[test]
fn missing_chart_leaves_its_reason() {
    let mut run = record::digits();
    run.accuracy.clear();
    run.blocks.clear();
    let page = skeleton(&html(&run));
    assert!(
        page.contains("Latency against accuracy: not drawn, because no variant has a score."),
        "{page}"
    );
    assert!(page.contains("CPU over the run: not drawn, because no block tells it."));
}

#[test]
fn markdown_names_the_figures_that_lie_beside_it() {
    let run = record::digits();
    let view = Report::new(&run, &analysis::findings(&run));
    let beside = report::illustrated_markdown(&view, None).unwrap();
    for chart in view.charts() {
        assert!(
            beside.contains(&format!("](figures/{}.svg)", chart.id)),
            "{}",
            chart.id
        );
    }
    assert!(!report::markdown(&view).unwrap().contains("figures/"));
}

#[test]
fn command_writes_the_page_and_the_figures_of_the_written_report() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(
        folder.path().join("run.json"),
        serde_json::to_vec(&record::digits()).unwrap(),
    )
    .unwrap();
    let to = |name: &str| folder.path().join(name);
    let report = |format: &str, name: &str| {
        let command = Onnxprof::new()
            .args(["report", "--format", format])
            .arg(folder.path());
        command.arg("--output").arg(to(name)).run().assert_code(0);
    };
    report("html", "page.html");
    report("markdown", "report.md");
    assert!(
        fs::read_to_string(to("page.html"))
            .unwrap()
            .starts_with("<!doctype html>")
    );
    assert!(
        fs::read_to_string(to("figures/batch-throughput.svg"))
            .unwrap()
            .starts_with("<svg")
    );
}

#[test]
fn page_that_cannot_be_opened_is_a_warning_with_its_path() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(
        folder.path().join("run.json"),
        serde_json::to_vec(&record::digits()).unwrap(),
    )
    .unwrap();
    let opener = folder.path().join("xdg-open");
    fs::write(&opener, "#!/bin/sh\nexit 3\n").unwrap();
    fs::set_permissions(&opener, fs::Permissions::from_mode(0o755)).unwrap();
    let output = Onnxprof::new()
        .args(["report", "--open"])
        .arg(folder.path())
        .env("PATH", folder.path())
        .run();
    output
        .assert_code(0)
        .assert_stderr("warning: failed to open")
        .assert_stderr("report.html");
    assert!(folder.path().join("report.html").exists());
}

#[test]
fn page_is_opened_with_the_program_of_the_desktop() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(
        folder.path().join("run.json"),
        serde_json::to_vec(&record::digits()).unwrap(),
    )
    .unwrap();
    let opener = folder.path().join("xdg-open");
    fs::write(
        &opener,
        "#!/bin/sh\nprintf '%s' \"$1\" > \"${0%/*}/opened\"\n",
    )
    .unwrap();
    fs::set_permissions(&opener, fs::Permissions::from_mode(0o755)).unwrap();
    let output = Onnxprof::new()
        .args(["report", "--open"])
        .arg(folder.path())
        .env("PATH", folder.path())
        .run();
    output.assert_code(0);
    let opened = fs::read_to_string(folder.path().join("opened")).unwrap();
    assert_eq!(
        opened,
        folder.path().join("report.html").display().to_string()
    );
}

/// The browser outlives the command: where it stands and where its temporary files lie is there for
/// longer.
#[test]
fn program_of_the_desktop_gets_folders_that_stay() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(
        folder.path().join("run.json"),
        serde_json::to_vec(&record::digits()).unwrap(),
    )
    .unwrap();
    let opener = folder.path().join("xdg-open");
    let script = r#"#!/bin/sh
printf '%s\n' "$PWD" "$TMPDIR" > "${0%/*}/folders.part"
PATH=/usr/bin:/bin
mv "${0%/*}/folders.part" "${0%/*}/folders"
"#;
    fs::write(&opener, script).unwrap();
    fs::set_permissions(&opener, fs::Permissions::from_mode(0o755)).unwrap();
    let unwritable = folder.path().join("run.json");
    let seen = folder.path().join("folders");
    for cache in [folder.path().join("cache"), unwritable.clone()] {
        // The first round finds none.
        let _ = fs::remove_file(&seen);
        let command = Onnxprof::new()
            .args(["report", "--open"])
            .arg(folder.path())
            .env("PATH", folder.path());
        command
            .env("ONNXPROF_CACHE", &cache)
            .env("TMPDIR", folder.path())
            .run()
            .assert_code(0);
        wait_until(|| seen.exists());
        let folders = fs::read_to_string(&seen).unwrap();
        let expected = if cache == unwritable {
            Path::new("/").to_owned()
        } else {
            cache.join("empty")
        };
        assert_eq!(
            folders,
            format!("{}\n{}\n", expected.display(), folder.path().display())
        );
        assert!(cache == unwritable || fs::read_dir(&expected).unwrap().next().is_none());
    }
}

#[test]
fn opening_what_was_never_written_is_a_usage_error() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(
        folder.path().join("run.json"),
        serde_json::to_vec(&record::digits()).unwrap(),
    )
    .unwrap();
    let output = Onnxprof::new()
        .args(["report", "--open", "--format", "csv"])
        .arg(folder.path())
        .run();
    output.assert_error(
        2,
        "`--open` needs a file to open",
        "name one with `--output`",
    );
}

#[test]
fn sessions_that_differ_in_threads_alone_are_charted_over_threads() {
    let mut run = record::digits();
    run.plan.sessions[1].variant = 0;
    run.plan.sessions[0].options.intra_threads = 1;
    run.plan.sessions[1].options.intra_threads = 2;
    let view = Report::new(&run, &analysis::findings(&run));
    let chart = view
        .charts()
        .find(|chart| chart.id == "threads-latency")
        .unwrap();
    assert_eq!(chart.title, "Median latency over intra-op threads");
    let [series] = chart.series.as_slice() else {
        panic!("{:?}", chart.series);
    };
    assert_eq!(series.name.as_deref(), Some("fp32"));
    let threads: Vec<f64> = series.points.iter().map(|point| point.x).collect();
    assert_eq!(threads, [1.0, 2.0]);
}

/// Sentences of a block, as far as they are of its own.
fn sentences(block: &Block) -> Vec<&String> {
    match block {
        Block::Verdict(lines) | Block::Lines(lines) => lines.iter().collect(),
        Block::Sentence(text) | Block::Legend(text) | Block::Absent(text) => vec![text],
        Block::Numbered(numbered) => {
            let fields = numbered.entries.iter().flat_map(|entry| &entry.fields);
            fields
                .flat_map(|field| field.lines.iter().chain([&field.text]))
                .filter(|text| !text.starts_with("none: ") && !text.starts_with("not measured: "))
                .collect()
        }
        Block::Sections(sections) => sections.iter().flat_map(|section| &section.lines).collect(),
        _ => Vec::new(),
    }
}

#[test]
fn report_and_page_say_each_thing_once() {
    let run = record::digits();
    let view = Report::new(&run, &analysis::findings(&run));
    for paper in [Paper::Written, Paper::Page] {
        let mut told: Vec<&String> = all_blocks(&view, paper)
            .into_iter()
            .flat_map(sentences)
            .filter(|text| text.len() > 30)
            .collect();
        assert!(told.len() > 20, "{told:?}");
        told.sort();
        for pair in told.windows(2) {
            assert_ne!(pair[0], pair[1], "twice in {paper:?}");
        }
    }
    let written = report::markdown(&view).unwrap();
    let prose = written.lines().filter(|line| !line.starts_with('|'));
    let ratio = "2.10x faster";
    let count = prose.filter(|line| line.contains(ratio)).count();
    assert_eq!(count, 1, "`{ratio}` beside its tables");
}

#[test]
fn chart_library_is_small() {
    let page = html(&record::digits());
    let ours = skeleton(&page).len();
    let bytes = page.len() - ours;
    assert!(bytes <= 1_200_000, "{bytes} bytes");
}

#[test]
fn pair_that_did_not_take_turns_has_a_ratio_without_an_interval() {
    let mut run = record::digits();
    run.blocks.retain(|block| match block.key.session {
        1 => block.round < 6,
        3 => block.round >= 6,
        _ => true,
    });
    let view = Report::new(&run, &analysis::findings(&run));
    let standing = all_blocks(&view, Paper::Page)
        .into_iter()
        .find_map(|block| match block {
            Block::Standing(standing) => Some(standing),
            _ => None,
        })
        .unwrap();
    let chosen = standing
        .baselines
        .iter()
        .find(|one| one.name == "fp16")
        .unwrap();
    let of = |row: usize| chosen.ratios[row].text.as_str();
    assert!(
        of(0).contains(" to "),
        "fp32 and fp16 took turns: {}",
        of(0)
    );
    assert!(of(3).ends_with("faster (not in turns)"), "{}", of(3));
    assert_eq!(of(1), "baseline");
    assert_eq!(of(4), "failed");
}

/// One browser for all that is looked at: starting it takes longer than everything else.
#[test]
fn page_works_in_a_browser() {
    let folder = tempfile::tempdir().unwrap();
    let run = record::digits();
    let Some(page) = page(folder.path(), &html(&run)) else {
        return;
    };
    assert_eq!(
        page.troubles(),
        Vec::<String>::new(),
        "network requests or messages on the console"
    );
    rows_are_sorted_by_a_column(&page);
    another_baseline_changes_the_ratios(&page);
    link_into_a_folded_part_opens_it(&page);
    copy_button_copies(&page);
    page.unfold(true);
    charts_are_drawn(&page);
    hover_shows_the_value_of_the_record(&page, &run);
    keys_step_through_points(&page);
    themes_differ(&page);
    phone_does_not_scroll_sideways(&page);
    page.unfold(false);
    paper_shows_drawings_and_leaves_folded_parts_out(&page);
    assert_eq!(
        page.troubles(),
        Vec::<String>::new(),
        "network requests or messages on the console"
    );

    page.open(folder.path(), &html(&hostile()));
    assert_eq!(
        page.troubles(),
        Vec::<String>::new(),
        "the page of hostile names"
    );
    page.unfold(true);
    hostile_names_stay_text(&page);

    for count in [2, 10] {
        page.open(folder.path(), &html(&alike_names(count)));
        page_opens_with_the_answer(&page, count);
        deciding_column_is_seen_on_a_phone(&page);
        assert_eq!(page.troubles(), Vec::<String>::new(), "{count} variants");
    }
}

/// Variants whose names begin alike, measured on a machine that was not fit.
fn alike_names(count: usize) -> RunRecord {
    let variant = |number: usize| VariantShape {
        wrong: (0..number).map(|sample| sample * 7).collect(),
        ..VariantShape::new(
            &format!("my-production-model-2026-variant-{number}"),
            "fp32",
            200_000.0 - 9_000.0 * number as f64,
            1_000_000 - 50_000 * number as u64,
        )
    };
    let mut run = record::build(&RunShape {
        name: "alike".into(),
        variants: (0..count).map(variant).collect(),
        batch_sizes: vec![1, 2, 4, 8],
        rounds: 8,
        alternations: 2,
        block_inferences: 40,
        samples: 100,
    });
    run.fitness = Some(Fitness {
        verdict: FitnessVerdict::Invalid,
        reasons: vec![FitnessReason {
            severity: FitnessVerdict::Invalid,
            seen: "other processes used 40% of all CPUs' time".into(),
            remedy: Some("end other work on the machine".into()),
        }],
    });
    run
}

const SCREEN: (u32, u32) = (1280, 800);

fn page_opens_with_the_answer(page: &Page, count: usize) {
    let (width, height) = SCREEN;
    page.resize(width, height);
    page.screenshot(&format!("{count}-variants"));
    let length = page.number("document.documentElement.scrollHeight");
    assert!(
        length <= 8.0 * f64::from(height),
        "{count} variants: {length} pixels"
    );
    assert!(page.is("document.documentElement.scrollWidth <= window.innerWidth"));
    assert!(
        page.is("!document.querySelector('details[open]')"),
        "a part is unfolded"
    );
    let is_seen = |selector: &str| {
        page.is(&format!(
            "document.querySelector('{selector}').checkVisibility()"
        ))
    };
    for selector in [
        ".alarm",
        "#figure-timeline-latency",
        ".answer p",
        "#figure-latency-accuracy",
        ".standing table",
    ] {
        assert!(is_seen(selector), "{selector} is not seen");
    }
    let cards = page.number("document.querySelectorAll('.card').length");
    assert_eq!(cards as usize, count);
    let beside = "((one, other) => one.top < other.bottom && other.top < one.bottom)
        (document.querySelector('.alarm').getBoundingClientRect(), document.querySelector('#figure-timeline-latency').getBoundingClientRect())";
    assert!(page.is(beside), "the timeline is not beside the warning");
    page.wait_for("document.querySelectorAll('#figure-latency-accuracy .annotation').length > 0");
    let names = "[...document.querySelectorAll('#figure-latency-accuracy .annotation-text')].map((one) => one.textContent)";
    let named = page.number(&format!("new Set({names}).size"));
    assert_eq!(
        named as usize,
        count,
        "{}",
        page.text(&format!("{names}.join()"))
    );
    let apart = "((boxes) => boxes.every((one, number) => boxes.slice(number + 1).every((other) =>
        one.right <= other.left || other.right <= one.left || one.bottom <= other.top || other.bottom <= one.top)))
        ([...document.querySelectorAll('#figure-latency-accuracy .annotation-text')].map((one) => one.getBoundingClientRect()))";
    assert!(page.is(apart), "names of marks cover one another");
    page.run("window.scrollTo(0, document.documentElement.scrollHeight)");
    assert_eq!(
        page.number("document.querySelector('nav').getBoundingClientRect().top"),
        0.0
    );
    page.run("window.scrollTo(0, 0)");
}

fn deciding_column_is_seen_on_a_phone(page: &Page) {
    page.resize(390, 844);
    let width = page.number("document.documentElement.scrollWidth");
    assert!(width <= 390.0, "the page is {width} pixels wide");
    let right = page.number(
        "Math.max(...[...document.querySelectorAll('.standing tr')].map((row) => row.cells[1].getBoundingClientRect().right))",
    );
    assert!(right <= 390.0, "the ratios end at {right} of 390 pixels");
    assert_eq!(
        page.text("document.querySelector('.standing thead').rows[0].cells[1].textContent"),
        "vs baseline"
    );
    page.screenshot("phone-open");
}

const FIRST_NAMES: &str =
    "[...document.querySelectorAll('.standing tbody tr')].map((row) => row.cells[0].textContent)";

fn rows_are_sorted_by_a_column(page: &Page) {
    let sort = |column: usize| {
        page.run(&format!(
            "document.querySelectorAll('.standing thead button')[{column}].click()"
        ))
    };
    let order = || page.text(&format!("{FIRST_NAMES}.join()"));
    assert_eq!(order(), "fp32,fp16,int8-dynamic,int8-static,truncated");
    sort(2);
    assert_eq!(order(), "int8-static,int8-dynamic,fp32,fp16,truncated");
    sort(2);
    assert_eq!(order(), "fp16,fp32,int8-dynamic,int8-static,truncated");
    assert_eq!(
        page.text("document.querySelectorAll('.standing th')[2].getAttribute('aria-sort')"),
        "descending"
    );
    sort(0);
    assert_eq!(order(), "fp16,fp32,int8-dynamic,int8-static,truncated");
}

fn ratio_of(page: &Page, name: &str) -> String {
    page.text(&format!(
        "[...document.querySelectorAll('.standing tbody tr')].find((row) => row.cells[0].textContent === '{name}').cells[1].textContent"
    ))
}

fn choose_baseline(page: &Page, name: &str) {
    page.run(&format!(
        "((select) => {{
            select.value = [...select.options].find((option) => option.text === '{name}').value;
            select.dispatchEvent(new Event('change'));
        }})(document.querySelector('.choose select'))"
    ));
}

fn another_baseline_changes_the_ratios(page: &Page) {
    assert_eq!(ratio_of(page, "fp32"), "baseline");
    assert_eq!(ratio_of(page, "int8-static"), "2.10x faster (2.08 to 2.13)");
    choose_baseline(page, "int8-static");
    assert_eq!(ratio_of(page, "int8-static"), "baseline");
    assert_eq!(ratio_of(page, "fp32"), "2.10x slower (2.08 to 2.13)");
    assert!(
        ratio_of(page, "fp16").starts_with("2.8"),
        "{}",
        ratio_of(page, "fp16")
    );
    assert_eq!(ratio_of(page, "truncated"), "failed");
    choose_baseline(page, "fp32");
    assert_eq!(ratio_of(page, "int8-static"), "2.10x faster (2.08 to 2.13)");
}

fn link_into_a_folded_part_opens_it(page: &Page) {
    assert!(page.is("!document.getElementById('batch').open"));
    page.run("document.querySelector('nav a[href=\"#batch\"]').click()");
    assert!(page.is("document.getElementById('batch').open"));
    page.wait_for("(({ top }) => top >= 0 && top < 200)(document.getElementById('batch').getBoundingClientRect())");
    page.wait_for("document.querySelector('#figure-batch-throughput .main-svg') !== null");
}

fn copy_button_copies(page: &Page) {
    page.run("Object.defineProperty(navigator, 'clipboard', { value: { writeText: async (text) => { window.taken = text; } } })");
    page.run("window.code = [...document.querySelectorAll('#provenance pre')].pop()");
    page.run("window.code.querySelector('.copy').click()");
    page.wait_for("window.code.querySelector('.copy').textContent === 'Copied'");
    let taken = page.text("window.taken");
    assert!(taken.starts_with("onnxprof profile "), "{taken}");
    assert!(page.is("window.taken === window.code.querySelector('code').textContent"));
    assert!(page.is(
        "[...document.querySelectorAll('pre, .commands dd')].every((one) => one.querySelectorAll('.copy').length === 1)"
    ));
}

fn charts_are_drawn(page: &Page) {
    let count = page.number("document.querySelectorAll('.chart').length");
    assert!(count >= 7.0, "{count} charts");
    let drawn = "[...document.querySelectorAll('.chart')].every((chart) =>
        chart.querySelectorAll('.trace path, .bars path, .points path').length > 0)";
    assert!(page.is(drawn), "a chart without marks");
    assert!(
        page.is("[...document.querySelectorAll('.drawing')].every((one) => getComputedStyle(one).display === 'none')")
    );
}

fn hover_shows_the_value_of_the_record(page: &Page, run: &RunRecord) {
    let findings = analysis::findings(run);
    let cell = findings
        .cells
        .iter()
        .find(|cell| cell.key.session == 0 && cell.key.batch_size == 4)
        .unwrap();
    let throughput = cell.figure(Metric::Throughput).unwrap();
    let shown = number::with_interval(
        Metric::Throughput.unit(),
        throughput.value().unwrap(),
        throughput.interval().unwrap(),
    );
    page.hover("#figure-batch-throughput .trace:first-child .points path:nth-child(3)");
    let told =
        page.text("document.querySelector('#figure-batch-throughput .hoverlayer').textContent");
    assert!(told.contains(&shown), "{told} does not hold {shown}");
    assert!(told.contains("fp32, batch 4"), "{told}");
}

fn keys_step_through_points(page: &Page) {
    let told = || page.text("document.querySelector('#figure-batch-latency .told').textContent");
    page.run("document.querySelector('#figure-batch-latency .chart').focus()");
    page.press("ArrowRight");
    assert!(told().starts_with("fp32, batch 1, "), "{}", told());
    page.press("ArrowRight");
    assert!(told().starts_with("fp32, batch 2, "), "{}", told());
    page.press("ArrowDown");
    assert!(told().starts_with("fp16, batch 2, "), "{}", told());
    // The chart library waits a moment between one label and the next.
    page.wait_for("document.querySelector('#figure-batch-latency .hoverlayer').textContent.includes('fp16, batch 2')");
    page.press("Escape");
    assert_eq!(told(), "");
}

fn themes_differ(page: &Page) {
    let ground = || {
        let body = page.text("getComputedStyle(document.body).backgroundColor");
        let chart = page
            .text("getComputedStyle(document.querySelector('.chart .main-svg')).backgroundColor");
        assert_eq!(body, chart, "the charts' ground is the page's");
        body
    };
    page.prefers("dark");
    assert_eq!(ground(), "rgb(20, 23, 28)");
    page.screenshot("dark");
    page.prefers("light");
    assert_eq!(ground(), "rgb(255, 255, 255)");
    page.screenshot("light");
}

fn phone_does_not_scroll_sideways(page: &Page) {
    page.resize(390, 844);
    let width = page.number("document.documentElement.scrollWidth");
    assert!(width <= 390.0, "the page is {width} pixels wide");
    assert!(page.is(
        "[...document.querySelectorAll('.scroll')].some((one) => one.scrollWidth > one.clientWidth)"
    ));
    page.screenshot("phone");
    page.resize(1000, 800);
}

fn paper_shows_drawings_and_leaves_folded_parts_out(page: &Page) {
    let shown = |selector: &str| {
        page.number(&format!(
            "[...document.querySelectorAll('{selector}')].filter((one) => one.checkVisibility()).length"
        ))
    };
    let count = shown(".chart");
    assert_eq!(count, 2.0, "the timeline and the one chart");
    page.media("print");
    assert_eq!(
        [
            "nav",
            ".chart",
            "details",
            "summary",
            "#evidence",
            ".copy",
            ".choose"
        ]
        .map(shown),
        [0.0; 7]
    );
    assert_eq!(shown(".drawing"), count);
    page.screenshot("print");
    assert!(
        page.is("(([one]) => Math.abs(one.clientWidth - one.querySelector('svg').getBoundingClientRect().width) < 2)
            ([...document.querySelectorAll('.drawing')].filter((one) => one.checkVisibility()))"),
        "charts are not as wide as the page"
    );
    page.run("document.getElementById('batch').open = true");
    assert_eq!((shown("#evidence"), shown("details")), (1.0, 1.0));
    page.run("document.getElementById('batch').open = false");
    page.media("screen");
    assert_eq!(["nav", ".chart", ".drawing"].map(shown), [1.0, count, 0.0]);
    let pdf = page.pdf();
    assert!(pdf.starts_with(b"%PDF-") && pdf.windows(5).any(|bytes| bytes == b"%%EOF"));
}

fn hostile_names_stay_text(page: &Page) {
    assert_eq!(
        page.text("document.title"),
        "</script><script>alert(1)</script>: performance report"
    );
    assert_eq!(page.number("document.querySelectorAll('img').length"), 0.0);
    assert_eq!(
        page.number("document.querySelectorAll('script').length"),
        3.0
    );
    let legend = page.text("document.querySelector('#figure-batch-latency .legend').textContent");
    assert!(legend.contains("<script>alert(1)</script>"), "{legend}");
    page.run("document.querySelector('#figure-batch-latency .chart').focus()");
    page.press("ArrowRight");
    let label = "document.querySelector('#figure-batch-latency .hoverlayer').textContent";
    page.wait_for(&format!(
        "{label}.includes('<script>alert(1)</script>, batch 1')"
    ));
}
