//! Arrivals keep their rate, their variation and their seed, and traces are read or refused.

use std::io::Write;
use std::path::PathBuf;

use super::*;
use crate::plan::Fall;
use crate::units::{Nanos, PerSecond, Ratio};

const SECOND: Nanos = Nanos(1_000_000_000);

fn offer(rate: f64, seconds: u64) -> Offer {
    Offer::at(PerSecond(rate), Nanos(seconds * SECOND.0), 11)
}

fn times(pattern: &Arrivals, offer: &Offer) -> Vec<f64> {
    times_of(pattern, offer, Share::WHOLE)
}

fn times_of(pattern: &Arrivals, offer: &Offer, share: Share) -> Vec<f64> {
    let mut arriving = arrivals(pattern, offer, share).unwrap();
    let due = std::iter::from_fn(|| arriving.pop());
    due.map(|due| due.as_secs_f64()).collect()
}

/// Mean of the distances, and their standard deviation over it.
fn mean_and_variation(times: &[f64]) -> (f64, f64) {
    let distances: Vec<f64> = times.windows(2).map(|two| two[1] - two[0]).collect();
    let mean = distances.iter().sum::<f64>() / distances.len() as f64;
    let squares = distances.iter().map(|distance| (distance - mean).powi(2));
    let deviation = (squares.sum::<f64>() / distances.len() as f64).sqrt();
    (mean, deviation / mean)
}

#[test]
fn each_pattern_keeps_its_rate_and_its_variation() {
    let gamma = |variation| Arrivals::Gamma {
        variation: Ratio(variation),
    };
    for (pattern, expected) in [
        (Arrivals::Constant, 0.0),
        (Arrivals::Poisson, 1.0),
        (gamma(0.5), 0.5),
        (gamma(2.0), 2.0),
        // Of `size` distances one is exponential with a mean of `size`, and the others are 0.
        (Arrivals::Bursts { size: 8 }, 15.0_f64.sqrt()),
    ] {
        let (mean, variation) = mean_and_variation(&times(&pattern, &offer(500.0, 400)));
        assert!((mean * 500.0 - 1.0).abs() < 0.02, "{pattern:?}: {mean}");
        assert!(
            (variation - expected).abs() < 0.05,
            "{pattern:?}: {variation}"
        );
    }
}

#[test]
fn the_same_seed_gives_the_same_requests_and_another_one_others() {
    let one = offer(300.0, 20);
    let other = Offer { seed: 12, ..one };
    assert_eq!(
        times(&Arrivals::Poisson, &one),
        times(&Arrivals::Poisson, &one)
    );
    assert_ne!(
        times(&Arrivals::Poisson, &one),
        times(&Arrivals::Poisson, &other)
    );
}

#[test]
fn shares_of_processes_are_the_whole_offer() {
    let offer = offer(300.0, 20);
    for pattern in [
        Arrivals::Constant,
        Arrivals::Poisson,
        Arrivals::Bursts { size: 8 },
    ] {
        let mut shares: Vec<f64> = Vec::new();
        for index in 0..3 {
            let share = times_of(&pattern, &offer, Share { index, of: 3 });
            assert!(share.len().abs_diff(2000) < 300, "{}", share.len());
            shares.extend(share);
        }
        shares.sort_by(f64::total_cmp);
        assert_eq!(shares, times(&pattern, &offer), "{pattern:?}");
    }
}

#[test]
fn users_of_processes_are_all_users() {
    let think_ns = Nanos(SECOND.0);
    let of = |index| {
        let share = Share { index, of: 3 };
        times_of(&Arrivals::Users { think_ns }, &offer(8.0, 1000), share)
    };
    let users = [0, 1, 2].map(of);
    assert_eq!(users.each_ref().map(Vec::len), [3, 3, 2]);
    assert_ne!(users[0], users[1]);
}

#[test]
fn a_rate_rises_evenly_and_falls_at_once() {
    let rising = Offer {
        from: PerSecond(100.0),
        to: PerSecond(300.0),
        fall: Some(Fall {
            to: PerSecond(50.0),
            length_ns: Nanos(10 * SECOND.0),
        }),
        ..offer(0.0, 10)
    };
    let times = times(&Arrivals::Constant, &rising);
    let between = |from: f64, to: f64| {
        times
            .iter()
            .filter(|time| (from..to).contains(*time))
            .count()
    };
    // Over 5 s the rate rises from 100 to 200 (750 requests), then to 300 (1,250).
    let counts = [(0.0, 5.0), (5.0, 10.0), (10.0, 20.0)].map(|(from, to)| between(from, to));
    for (count, expected) in counts.into_iter().zip([750_usize, 1250, 500]) {
        assert!(count.abs_diff(expected) <= 1, "{counts:?}");
    }
    assert!(times.is_sorted());
}

#[test]
fn users_ask_again_when_they_were_answered_and_have_thought() {
    let think_ns = Nanos(SECOND.0 / 10);
    let mut users = arrivals(
        &Arrivals::Users { think_ns },
        &offer(3.0, 1000),
        Share::WHOLE,
    )
    .unwrap();
    let first: Vec<Nanos> = std::iter::from_fn(|| users.pop()).collect();
    assert_eq!(first.len(), 3);
    assert!(users.peek().is_none() && !users.is_over() && users.follows_answers());
    let (mut thought, mut now) = (0.0, Nanos(SECOND.0));
    const TIMES: u32 = 4000;
    for _ in 0..TIMES {
        users.answered(now);
        let due = users.pop().unwrap();
        thought += due.since(now).as_secs_f64();
        now = due;
    }
    let mean = thought / f64::from(TIMES);
    assert!((mean / 0.1 - 1.0).abs() < 0.06, "{mean}");
    users.rejected(now);
    assert!(users.peek().unwrap() > now);
    for _ in 0..3 {
        users.answered(Nanos(2000 * SECOND.0));
    }
    users.pop();
    users.answered(Nanos(2000 * SECOND.0));
    assert!(users.is_over());
}

fn file(folder: &tempfile::TempDir, name: &str, text: &str) -> PathBuf {
    let path = folder.path().join(name);
    std::fs::File::create(&path)
        .unwrap()
        .write_all(text.as_bytes())
        .unwrap();
    path
}

#[test]
fn a_trace_is_stretched_to_its_rate_and_begins_again() {
    let folder = tempfile::tempdir().unwrap();
    let csv = file(
        &folder,
        "a.csv",
        "id,time,seq\n7,0,1\n8,1,1\n9,1,4\n10,4,1\n",
    );
    let lines = "{\"time\": 0}\n{\"time\": 1, \"seq\": 3}\n\n{\"time\": 1}\n{\"time\": 4.0}\n";
    let json = file(&folder, "a.jsonl", lines);
    let plain = file(&folder, "a.txt", "0\n1\n1\n4\n");
    for path in [csv, json, plain] {
        let pattern = Arrivals::Trace {
            path,
            sha256: String::new(),
        };
        let times = times(&pattern, &offer(3.0, 3));
        // Four requests with a mean distance of 4/3 s, at three a second: 1/3, +1/4, +0, +3/4, again.
        let expected = [
            1.0 / 3.0,
            7.0 / 12.0,
            7.0 / 12.0,
            4.0 / 3.0,
            5.0 / 3.0,
            23.0 / 12.0,
            23.0 / 12.0,
            8.0 / 3.0,
        ];
        assert_eq!(times.len(), expected.len(), "{times:?}");
        for (time, expected) in times.iter().zip(expected) {
            assert!((time - expected).abs() < 1e-6, "{times:?}");
        }
    }
}

#[test]
fn what_is_no_trace_is_refused_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    for (text, words) in [
        ("", "is empty"),
        ("\n\n", "is empty"),
        ("3\n", "one time"),
        ("2\n2\n2\n", "at the same time"),
        ("0\n3\n1\n", "line 3: 1 s comes after 3 s"),
        ("-1\n3\n", "line 1: -1 s lies before 0"),
        ("0\nnan\n", "line 2: NaN is no time"),
        ("0\ninf\n", "line 2: inf is no time"),
        ("name,place\nx,y\n", "line 1: `name` is no time in seconds"),
        ("time\n0\nsoon\n", "line 3: `soon` is no time"),
        ("{\"when\": 3}\n", "line 1: no field `time`"),
        ("{\"time\": 0}\n{\"time\": \n", "line 2: EOF"),
    ] {
        let error = check_trace(&file(&folder, "bad", text)).unwrap_err();
        assert!(error.to_string().contains(words), "{text:?}: {error}");
    }
    let error = check_trace(&folder.path().join("nowhere")).unwrap_err();
    assert!(error.to_string().contains("cannot be read"), "{error}");
}
