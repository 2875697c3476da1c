//! The run folder as a run writes it and as reports read it.

mod fixture;
mod older;

use std::fs;
use std::path::Path;

use fixture::{begin, encoded, events, info, key, record};
use onnxprof::record::{EndReason, Event, RunRecord, SCHEMA_VERSION, json_schema};
use onnxprof::stats::Latencies;
use onnxprof::store::{Journal, RunFolder, StoreError, load};

use crate::support::Onnxprof;

/// A finished run in a fresh folder.
fn finished() -> (tempfile::TempDir, RunRecord) {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = begin(folder.path());
    journal
        .append(Event::Ended(info(Some(EndReason::BudgetSpent))))
        .unwrap();
    journal.finish().unwrap();
    let (_, record) = journal.into_parts();
    (folder, record)
}

/// A folder with nothing but a journal, as a kill leaves it, of which `edit` makes the text.
fn killed(edit: impl FnOnce(String) -> String) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    drop(begin(folder.path()));
    fs::remove_file(folder.path().join("run.json")).unwrap();
    let journal = folder.path().join("journal.jsonl");
    let text = edit(fs::read_to_string(&journal).unwrap());
    fs::write(journal, text).unwrap();
    folder
}

fn counts(record: &RunRecord, batch_size: u64) -> (Option<u64>, Option<u64>) {
    let cell = record.cell(key(batch_size)).unwrap();
    let count = |text: &Option<String>| {
        text.as_deref()
            .map(|text| Latencies::decode(text).unwrap().count())
    };
    (
        count(&cell.latency_histogram),
        count(&cell.warmup_histogram),
    )
}

fn message(result: Result<RunRecord, StoreError>, folder: &Path) -> String {
    result
        .unwrap_err()
        .to_string()
        .replace(&folder.display().to_string(), "[RUN]")
}

#[test]
fn finished_run_is_read_as_it_was_written() {
    let (folder, record) = finished();
    assert_eq!(load(folder.path()).unwrap(), record);
    assert_eq!(load(&folder.path().join("run.json")).unwrap(), record);
    assert!(record.is_complete());
}

#[test]
fn finished_run_leaves_no_journal_and_no_lock() {
    let (folder, _) = finished();
    let mut names: Vec<_> = fs::read_dir(folder.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name())
        .collect();
    names.sort();
    assert_eq!(names, ["logs", "run.json"]);
}

#[test]
fn latencies_of_blocks_are_merged_by_cell_and_phase() {
    let (_folder, record) = finished();
    assert_eq!(counts(&record, 1), (Some(3), Some(1)));
    assert_eq!(counts(&record, 2), (Some(1), None));
    assert_eq!(
        record.cell(key(1)).unwrap().latency_histogram,
        Some(encoded(&[100, 101, 102]))
    );
}

#[test]
fn latencies_merge_alike_however_often_they_are_merged() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = Journal::begin(RunFolder::create(folder.path()).unwrap(), record()).unwrap();
    for event in events() {
        journal.append(event).unwrap();
        journal.checkpoint().unwrap();
    }
    let (_once, mut expected) = finished();
    expected.run = info(None);
    assert_eq!(journal.record(), &expected);
}

#[test]
fn killed_run_is_read_from_its_journal_and_is_incomplete() {
    let folder = killed(|text| text);
    let record = load(folder.path()).unwrap();
    assert!(!record.is_complete());
    assert_eq!(record.blocks.len(), 4);
    assert_eq!(counts(&record, 1), (Some(3), Some(1)));
    assert_eq!(record.notes, ["batch 64 was left out"]);
    assert!(record.fitness.is_some() && record.conditions.is_some());
    assert_eq!(
        record.cell(key(2)).unwrap().outcome.reason().unwrap(),
        "no answer within 1 s"
    );
}

#[test]
fn torn_last_line_of_a_journal_is_left_out() {
    let whole = load(killed(|text| text).path()).unwrap();
    for torn in [
        "{",
        "{\"event\":\"note\",\"body\":\"half a no",
        "{\"event\":\"block\",\"body\":{",
    ] {
        let folder = killed(|text| text + torn);
        assert_eq!(load(folder.path()).unwrap(), whole);
    }
}

#[test]
fn every_place_at_which_a_journal_may_be_torn_leaves_a_run_or_a_named_error() {
    let mut text = String::new();
    let folder = killed(|journal| {
        text = journal.clone();
        journal
    });
    // What is cut may be a letter of several bytes.
    let text = text
        .replace("batch 64 was left out", "Größe 64 ﬁel aus \u{1f980}")
        .into_bytes();
    let ends: Vec<usize> = (0..text.len())
        .filter(|&place| text[place] == b'\n')
        .collect();
    let torn_at = |length: usize| {
        fs::write(folder.path().join("journal.jsonl"), &text[..length]).unwrap();
        load(folder.path())
    };
    let whole: Vec<RunRecord> = ends.iter().map(|&end| torn_at(end + 1).unwrap()).collect();
    let about_ends = ends
        .iter()
        .flat_map(|&end| end.saturating_sub(2)..(end + 3).min(text.len()));
    let about_letters = (0..text.len()).filter(|&place| !text[place].is_ascii());
    for length in (0..text.len())
        .step_by(13)
        .chain(about_ends)
        .chain(about_letters)
    {
        // A line is whole without its end, too.
        let lines = ends.iter().take_while(|&&end| end <= length).count();
        match torn_at(length) {
            Ok(record) => assert_eq!(record, whole[lines - 1], "{length}"),
            Err(error) => {
                assert!(
                    matches!(error, StoreError::NothingRecorded { .. }) && lines == 0,
                    "{length}: {error}"
                )
            }
        }
    }
}

#[test]
fn garbage_inside_a_journal_is_an_error_that_names_the_line() {
    let folder = killed(|text| text.replacen("\"event\":\"block\"", "\"event\":\"blob\"", 2));
    assert_eq!(
        message(load(folder.path()), folder.path()),
        "line 2 of `[RUN]/journal.jsonl` is not an event of a run"
    );
    let folder = killed(|text| text + "garbage\n");
    assert_eq!(
        message(load(folder.path()), folder.path()),
        "line 9 of `[RUN]/journal.jsonl` is not an event of a run"
    );
    let folder = killed(|text| text.split_once('\n').unwrap().1.to_owned());
    assert_eq!(
        message(load(folder.path()), folder.path()),
        "line 1 of `[RUN]/journal.jsonl` is not an event of a run"
    );
}

#[test]
fn damaged_histogram_in_a_journal_is_a_named_error() {
    let folder = killed(|text| text.replacen("\"histogram\":\"", "\"histogram\":\"?", 1));
    let message = message(load(folder.path()), folder.path());
    assert_eq!(
        message,
        "latency histogram of a block in `[RUN]/journal.jsonl` is damaged"
    );
}

#[test]
fn journal_of_a_kill_before_the_first_event_is_a_named_error() {
    let folder = killed(|_| String::new());
    assert_eq!(
        message(load(folder.path()), folder.path()),
        "run in `[RUN]` was killed before it recorded anything"
    );
}

#[test]
fn kill_between_the_record_and_the_removal_of_the_journal_loses_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = begin(folder.path());
    let text = fs::read(journal.folder().journal()).unwrap();
    journal.finish().unwrap();
    fs::write(journal.folder().journal(), text).unwrap();
    assert_eq!(&load(folder.path()).unwrap(), journal.record());
}

#[test]
fn run_that_goes_on_can_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = begin(folder.path());
    let record = load(&folder.path().join("run.json")).unwrap();
    journal.merge_latencies().unwrap();
    assert_eq!(&record, journal.record());
}

#[test]
fn second_run_into_a_folder_is_refused_while_and_after_the_first() {
    let folder = tempfile::tempdir().unwrap();
    let mut journal = begin(folder.path());
    assert!(matches!(
        RunFolder::create(folder.path()),
        Err(StoreError::InUse { .. })
    ));
    journal.finish().unwrap();
    assert!(matches!(
        RunFolder::create(folder.path()),
        Err(StoreError::InUse { .. })
    ));
    drop(journal);
    assert!(matches!(
        RunFolder::create(folder.path()),
        Err(StoreError::HoldsRun { .. })
    ));
}

#[test]
fn folder_of_a_killed_run_is_not_overwritten() {
    let folder = killed(|text| text);
    assert!(matches!(
        RunFolder::create(folder.path()),
        Err(StoreError::HoldsRun { .. })
    ));
    assert!(load(folder.path()).is_ok());
}

#[test]
fn journal_beside_another_file_is_not_mixed_with_it() {
    let (folder, record) = finished();
    let [run_json, copy] = ["run.json", "copy.json"].map(|name| folder.path().join(name));
    fs::rename(run_json, &copy).unwrap();
    fs::write(folder.path().join("journal.jsonl"), "garbage\n").unwrap();
    assert_eq!(load(&copy).unwrap(), record);
}

#[test]
fn journal_may_be_named_itself() {
    let folder = killed(|text| text);
    assert_eq!(
        load(&folder.path().join("journal.jsonl")).unwrap(),
        load(folder.path()).unwrap()
    );
}

#[test]
fn what_is_not_a_run_is_a_named_error() {
    let folder = tempfile::tempdir().unwrap();
    let run = folder.path();
    assert_eq!(
        message(load(&run.join("no")), run),
        "no run at `[RUN]/no`: no such file or folder"
    );
    assert_eq!(
        message(load(run), run),
        "`[RUN]` is not a run folder: it holds neither `run.json` nor `journal.jsonl`"
    );
    for (text, expected) in [
        ("", "`[RUN]/run.json` is truncated"),
        (
            "{\"schema_version\":{\"major\":1,",
            "`[RUN]/run.json` is truncated",
        ),
        ("ONNX", "`[RUN]/run.json` is not JSON"),
        ("{}", "`[RUN]/run.json` is not a run record"),
        ("[1]", "`[RUN]/run.json` is not a run record"),
    ] {
        fs::write(run.join("run.json"), text).unwrap();
        assert_eq!(message(load(run), run), expected);
    }
    fs::write(run.join("run.json"), [0xff, 0xfe, 0x00]).unwrap();
    assert_eq!(message(load(run), run), "`[RUN]/run.json` is not JSON");
}

/// The finished run's JSON after `edit`.
fn edited(edit: impl FnOnce(&mut serde_json::Value)) -> tempfile::TempDir {
    let (folder, record) = finished();
    let mut json = serde_json::to_value(record).unwrap();
    edit(&mut json);
    fs::write(folder.path().join("run.json"), json.to_string()).unwrap();
    folder
}

#[test]
fn newer_major_version_is_an_error_that_names_both() {
    let folder = edited(|json| {
        json["schema_version"]["major"] = 2.into();
        json["run"] = "something else altogether".into();
    });
    let error = load(folder.path()).unwrap_err();
    assert_eq!(
        error.hint().unwrap(),
        "use the onnxprof that wrote it, or a newer one"
    );
    assert_eq!(
        message(Err(error), folder.path()),
        "`[RUN]/run.json` has schema version 2.4, this onnxprof reads version 1.x"
    );
}

#[test]
fn newer_major_version_of_a_journal_is_an_error_that_names_both() {
    let folder = killed(|text| {
        text.replacen("\"major\":1", "\"major\":2", 1)
            .replacen("\"run\":{", "\"race\":{", 1)
    });
    assert_eq!(
        message(load(folder.path()), folder.path()),
        "`[RUN]/journal.jsonl` has schema version 2.4, this onnxprof reads version 1.x"
    );
}

#[test]
fn other_minor_version_is_read() {
    let folder = edited(|json| {
        json["schema_version"]["minor"] = 7.into();
        json["a_field_of_the_future"] = 1.into();
        json["host"].as_object_mut().unwrap().remove("governor");
    });
    assert_eq!(load(folder.path()).unwrap().schema_version.minor, 7);
}

#[test]
fn indices_that_lead_nowhere_are_a_named_error() {
    for (pointer, index, expected) in [
        ("/plan/baseline", 3, "the baseline is variant 3 of 1"),
        (
            "/plan/sessions/0/variant",
            1,
            "a session runs variant 1 of 1",
        ),
        (
            "/cells/0/key/session",
            1,
            "a cell belongs to session 1 of 1",
        ),
        (
            "/blocks/0/key/session",
            9,
            "a block belongs to session 9 of 1",
        ),
    ] {
        let folder = edited(|json| *json.pointer_mut(pointer).unwrap() = index.into());
        assert_eq!(
            message(load(folder.path()), folder.path()),
            format!("`[RUN]/run.json` contradicts itself: {expected}")
        );
    }
}

/// The same of a search, whose configurations are named in many places.
#[test]
fn configurations_of_a_search_that_there_are_not_are_a_named_error() {
    let search = include_str!(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/models/corpus/record/tuned.json"
    ));
    let beyond = "a configuration of the search belongs to session 9 of 2";
    let folder = tempfile::tempdir().unwrap();
    for (pointer, expected) in [
        ("/tuning/heats/0/reference/session", beyond),
        ("/tuning/heats/1/cells/0/session", beyond),
        ("/tuning/heats/2/champion/session", beyond),
        ("/tuning/decisions/0/key/session", beyond),
        (
            "/plan/tuning/base_sessions_count",
            "a search begins with 9 sessions of 2",
        ),
        ("/accuracy/0/session", "a score belongs to session 9 of 2"),
    ] {
        let mut json: serde_json::Value = serde_json::from_str(search).unwrap();
        *json.pointer_mut(pointer).unwrap() = 9.into();
        fs::write(folder.path().join("run.json"), json.to_string()).unwrap();
        assert_eq!(
            message(load(folder.path()), folder.path()),
            format!("`[RUN]/run.json` contradicts itself: {expected}")
        );
    }
}

/// A record of a few kilobytes may plan more cells than there is memory for.
#[test]
fn plan_of_more_cells_than_any_run_has_is_a_named_error() {
    fn plan(json: &mut serde_json::Value, [shapes, batch_sizes, load_modes]: [u64; 3]) {
        let mode = |concurrency: u64| serde_json::json!({"closed": {"concurrency": concurrency}});
        json["shapes"] = (0..shapes)
            .map(|_| serde_json::json!({"dims": {}}))
            .collect();
        json["batch_sizes"] = (1..=batch_sizes).collect();
        json["load_modes"] = (1..=load_modes).map(mode).collect();
    }
    let most = edited(|json| plan(&mut json["plan"], [100, 1_000, 10]));
    assert_eq!(load(most.path()).unwrap().plan.grid_count(), 1_000_000);
    let finished = edited(|json| plan(&mut json["plan"], [10_000, 10_000, 1_000]));
    let killed = killed(|text| {
        let (first, rest) = text.split_once('\n').unwrap();
        let mut began: serde_json::Value = serde_json::from_str(first).unwrap();
        plan(&mut began["body"]["plan"], [10_000, 10_000, 1_000]);
        format!("{{\"event\":\"began\",\"body\":{}}}\n{rest}", began["body"])
    });
    for (folder, file) in [(finished, "run.json"), (killed, "journal.jsonl")] {
        let expected = "100000000000 cells are planned, and 1000000 are measured at most";
        assert_eq!(
            message(load(folder.path()), folder.path()),
            format!("`[RUN]/{file}` contradicts itself: {expected}")
        );
    }
}

#[test]
fn record_validates_against_its_schema() {
    let (folder, record) = finished();
    let schema = serde_json::to_value(json_schema()).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let json: serde_json::Value =
        serde_json::from_str(&fs::read_to_string(folder.path().join("run.json")).unwrap()).unwrap();
    let errors: Vec<_> = validator
        .iter_errors(&json)
        .map(|error| error.to_string())
        .collect();
    assert_eq!(errors, Vec::<String>::new());
    let mut broken = serde_json::to_value(record).unwrap();
    broken["blocks"][0]["elapsed_ns"] = "5 ms".into();
    assert!(!validator.is_valid(&broken));
}

#[test]
fn schema_command_prints_the_schema_with_its_version() {
    let output = Onnxprof::new().arg("schema").output();
    assert!(output.status.success() && output.stderr.is_empty());
    let printed: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(printed, serde_json::to_value(json_schema()).unwrap());
    let version = format!("{}.{}", SCHEMA_VERSION.major, SCHEMA_VERSION.minor);
    assert_eq!(printed["$id"], format!("urn:onnxprof:run-record:{version}"));
    assert_eq!(printed["title"], format!("onnxprof run record {version}"));
}
