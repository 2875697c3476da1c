//! Values of the options of `load`, from words.

use std::path::PathBuf;
use std::time::Duration;

use jiff::SignedDuration;

use super::super::values;
use crate::check::{Side, Slo};
use crate::metric::{Direction, Metric};
use crate::plan::{Batcher, Scenario};
use crate::units::{Nanos, PerSecond, Ratio};

/// No machine generates more requests per second.
const MOST_PER_SECOND: f64 = 1e6;
/// What limits a rate, by the names of metrics.
const LIMITING: [&str; 7] = [
    "response_p50",
    "response_p90",
    "response_p95",
    "response_p99",
    "response_p999",
    "error_rate",
    "goodput",
];

/// How requests arrive, as it is named.
#[derive(Clone, Debug, PartialEq)]
pub enum ArrivalsArg {
    Constant,
    Poisson,
    Gamma(Ratio),
    Bursts(u64),
    Trace(PathBuf),
    Users(Duration),
}

/// A scenario of MLPerf Inference.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum ScenarioArg {
    /// One query of one sample after another.
    SingleStream,
    /// One query of eight samples after another.
    MultiStream,
    /// Poisson arrivals, and a bound on the p99 of responses.
    Server,
    /// Samples as many as there is work for.
    Offline,
}

impl From<ScenarioArg> for Scenario {
    fn from(arg: ScenarioArg) -> Self {
        match arg {
            ScenarioArg::SingleStream => Scenario::SingleStream,
            ScenarioArg::MultiStream => Scenario::MultiStream,
            ScenarioArg::Server => Scenario::Server,
            ScenarioArg::Offline => Scenario::Offline,
        }
    }
}

/// `constant`, `poisson`, `gamma:VARIATION`, `bursts:SIZE`, `trace:FILE` or `users:THINK`.
pub fn arrivals(text: &str) -> Result<ArrivalsArg, String> {
    let (kind, value) = match text.split_once(':') {
        Some((kind, value)) => (kind, Some(value)),
        None => (text, None),
    };
    match (kind, value) {
        ("constant", None) => Ok(ArrivalsArg::Constant),
        ("poisson", None) => Ok(ArrivalsArg::Poisson),
        ("gamma", Some(variation)) => positive(variation)
            .map(|variation| ArrivalsArg::Gamma(Ratio(variation)))
            .ok_or_else(|| "write the variation as a positive number, such as `gamma:2`".into()),
        ("bursts", Some(size)) => values::repetitions(size).map(ArrivalsArg::Bursts),
        ("trace", Some(file)) if !file.is_empty() => Ok(ArrivalsArg::Trace(file.into())),
        ("users", Some(think)) => values::gap(think).map(ArrivalsArg::Users),
        _ => Err(
            "write `constant`, `poisson`, `gamma:VARIATION`, `bursts:SIZE`, `trace:FILE` or \
             `users:THINK`, such as `gamma:2` or `users:100ms`"
                .into(),
        ),
    }
}

/// Requests per second, such as `1000` or `1000/s`.
pub fn rate(text: &str) -> Result<PerSecond, String> {
    let text = text.trim();
    let rate = positive(text.strip_suffix("/s").unwrap_or(text))
        .ok_or("write it as a positive number of requests per second, such as `1000`")?;
    if rate > MOST_PER_SECOND {
        return Err(format!(
            "no machine generates so many requests: it must be at most {MOST_PER_SECOND} per second"
        ));
    }
    Ok(PerSecond(rate))
}

fn positive(text: &str) -> Option<f64> {
    let number = text.trim().parse::<f64>().ok()?;
    (number.is_finite() && number > 0.0).then_some(number)
}

/// A number of requests that may wait, or `none` for any number.
pub fn queue(text: &str) -> Result<Option<u64>, String> {
    match text.trim() {
        "none" => Ok(None),
        number => values::repetitions(number).map(Some),
    }
}

/// `max-batch=16,max-delay=2ms`, with `preferred=4:8` if need be; or `none`.
pub fn batcher(text: &str) -> Result<Option<Batcher>, String> {
    if text.trim() == "none" {
        return Ok(None);
    }
    let (mut max_batch, mut max_delay, mut preferred) = (None, None, Vec::new());
    for part in text.split(',') {
        match part.trim().split_once('=') {
            Some(("max-batch", size)) => max_batch = Some(values::batch(size)?),
            Some(("max-delay", time)) => max_delay = Some(delay(time)?),
            Some(("preferred", sizes)) => preferred = preferred_sizes(sizes)?,
            _ => return Err(format!("`{part}`: {BATCHER}")),
        }
    }
    let (Some(max_batch), Some(max_delay_ns)) = (max_batch, max_delay) else {
        return Err(BATCHER.into());
    };
    if let Some(size) = preferred.iter().find(|&&size| size > max_batch) {
        return Err(format!(
            "a batch of {size} is preferred, and one has {max_batch} requests at most"
        ));
    }
    Ok(Some(Batcher {
        max_batch,
        max_delay_ns,
        preferred,
    }))
}

const BATCHER: &str = "write it as `max-batch=16,max-delay=2ms`, with `preferred=4:8` if need be";

/// In whole microseconds; it may be 0.
fn delay(text: &str) -> Result<Nanos, String> {
    let mistake = "write the delay with a unit, such as `2ms` or `500us`";
    let span = match text.trim() {
        "0" => SignedDuration::ZERO,
        text => text.parse().map_err(|_| mistake)?,
    };
    let micros = u64::try_from(span.as_micros()).map_err(|_| mistake)?;
    Ok(Nanos(micros.saturating_mul(1_000)))
}

fn preferred_sizes(text: &str) -> Result<Vec<u64>, String> {
    let sizes = text.split(':').map(values::batch);
    let mut sizes: Vec<u64> = sizes.collect::<Result<_, _>>()?;
    sizes.sort_unstable();
    sizes.dedup();
    Ok(sizes)
}

/// A limit that a rate must keep.
pub fn slo(text: &str) -> Result<Slo, String> {
    let text = text.trim();
    if let Some(rest) = text.strip_prefix("latency_") {
        let percentile: String = rest
            .chars()
            .take_while(char::is_ascii_alphanumeric)
            .collect();
        return Err(format!(
            "`latency_{percentile}` is service time, without the time that a request waits; under load \
             limit the response time: `response_{percentile}`"
        ));
    }
    let slo = Slo::parse(text).map_err(|error| error.to_string())?;
    let name = slo.metric.name();
    if !LIMITING.contains(&name) {
        return Err(format!(
            "`{name}` is not measured under load; limit one of {}",
            LIMITING.join(", ")
        ));
    }
    check_side(&slo)?;
    check_limit(&slo)?;
    Ok(slo)
}

fn check_side(slo: &Slo) -> Result<(), String> {
    let metric: Metric = slo.metric;
    if metric.direction() == Direction::Neutral || slo.side == Side::better(metric) {
        return Ok(());
    }
    Err(format!(
        "an SLO limits `{}` by `{}`",
        metric.name(),
        Side::better(metric).sign()
    ))
}

/// A response takes time, and no machine answers more than comes.
fn check_limit(slo: &Slo) -> Result<(), String> {
    let name = slo.metric.name();
    if slo.limit <= 0.0 && name != "error_rate" {
        return Err(format!("a limit on `{name}` must be above 0"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arrivals_are_named_with_their_value() {
        for (text, arrivals_of) in [
            ("constant", ArrivalsArg::Constant),
            ("poisson", ArrivalsArg::Poisson),
            ("gamma:2.5", ArrivalsArg::Gamma(Ratio(2.5))),
            ("bursts:8", ArrivalsArg::Bursts(8)),
            ("trace:C:x.csv", ArrivalsArg::Trace("C:x.csv".into())),
            ("users:0", ArrivalsArg::Users(Duration::ZERO)),
            ("users:1s", ArrivalsArg::Users(Duration::from_secs(1))),
        ] {
            assert_eq!(arrivals(text), Ok(arrivals_of));
        }
        for text in [
            "",
            "gamma",
            "gamma:0",
            "gamma:inf",
            "bursts:0",
            "trace:",
            "users",
            "poisson:2",
            "uniform",
        ] {
            assert!(arrivals(text).is_err(), "{text}");
        }
    }

    #[test]
    fn rates_are_positive_and_such_as_a_machine_generates() {
        assert_eq!(rate(" 1000/s"), Ok(PerSecond(1000.0)));
        assert_eq!(rate("0.5"), Ok(PerSecond(0.5)));
        assert_eq!(rate("1e6"), Ok(PerSecond(1e6)));
        for text in ["0", "-1", "inf", "nan", "", "10/min"] {
            assert!(rate(text).unwrap_err().contains("positive"), "{text}");
        }
        assert!(rate("1000001").unwrap_err().contains("at most 1000000"));
    }

    #[test]
    fn a_batcher_is_written_as_it_is_read() {
        let read = batcher("max-batch=16, max-delay=2ms, preferred=8:4:8")
            .unwrap()
            .unwrap();
        assert_eq!(
            (read.max_batch, read.max_delay_ns.0, &read.preferred[..]),
            (16, 2_000_000, &[4, 8][..])
        );
        assert_eq!(batcher(&read.to_string()), Ok(Some(read)));
        let at_once = batcher("max-batch=4,max-delay=0").unwrap().unwrap();
        assert_eq!(batcher(&at_once.to_string()), Ok(Some(at_once)));
        assert_eq!(batcher("none"), Ok(None));
        for text in [
            "max-batch=16",
            "max-delay=1ms",
            "max-batch=0,max-delay=1ms",
            "max-batch=4,max-delay=1",
            "max-batch=4,max-delay=-1ms",
            "max-batch=4,max-delay=1ms,preferred=8",
            "max-batch=4,max-delay=1ms,size=8",
        ] {
            assert!(batcher(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_queue_holds_one_request_at_least() {
        assert_eq!((queue("none"), queue("7")), (Ok(None), Ok(Some(7))));
        assert_eq!(queue("0").unwrap_err(), "it must be at least 1");
    }

    #[test]
    fn an_slo_limits_responses_and_not_service_times() {
        let mistake = slo("latency_p99<=20ms").unwrap_err();
        assert!(
            mistake.contains("service time") && mistake.contains("`response_p99`"),
            "{mistake}"
        );
        let mistake = slo("throughput>=20/s").unwrap_err();
        assert!(mistake.contains("not measured under load"), "{mistake}");
    }
}
