//! One segment: all processes of a candidate serve at once, and are sampled meanwhile.

use std::time::{Duration, Instant};

use nix::time::{ClockId, clock_gettime};
use tokio::task::JoinSet;

use super::processes::{self, Served};
use crate::inputs::InputPlan;
use crate::observed::Observed;
use crate::plan::{Arrivals, LoadPlan, Serving, Share};
use crate::protocol::{Request, Response, ServeRequest};
use crate::record::{
    Event, Failure, FailureKind, LoadSegment, LoadStage, Offer, ProcessLoad, ProcessSample,
    ServedLoad,
};
use crate::runner::beside::score;
use crate::runner::time::times;
use crate::runner::{Launch, NextSegment, Progress, Result, Run};
use crate::sample::{Roots, process};
use crate::units::Nanos;

/// Processes are sampled at least so often.
const SAMPLING: Duration = Duration::from_millis(100);
/// How many samples of a long segment are kept.
const SAMPLES: u32 = 200;
/// Parts that a segment is counted in.
const WINDOWS: u64 = 40;
/// Parts of a soak, each of which has a point of its trends.
const WINDOWS_OF_SOAK: u64 = 120;
/// What still waits when all requests have come may take so many times the length of the segment.
const DRAINING: u64 = 1;
/// However short the segment was.
const LEAST_DRAINING: Nanos = Nanos(2_000_000_000);
/// Time to bind inputs before the first request, beside that of a first inference and of further
/// sessions.
const PREPARING: Duration = Duration::from_millis(500);

/// Serves one segment and writes it down, also where it fails.
pub(super) async fn serve(
    run: &mut Run<'_>,
    plan: &LoadPlan,
    served: &mut Served,
    next: NextSegment,
) -> Result<()> {
    let asked = Asked { plan, next };
    announce(run, &asked);
    let started_ns = run.elapsed();
    let usage = ServerUsage::begin(run, next.key.session);
    let (processes, failure) = match served.take(run, plan, next.key).await? {
        Err(failure) => (Vec::new(), Some(failure)),
        Ok(launches) => at_once(run, served, launches, &asked).await?,
    };
    if let Some(failure) = &failure {
        let place = place(&asked);
        run.announce(next.key.session, Some(&place), failure);
    }
    run.append(Event::LoadSegment(Box::new(LoadSegment {
        key: next.key,
        round: next.round,
        stage: next.stage,
        offer: next.offer,
        started_ns,
        processes,
        server_cpu_time_ns: usage.map(|usage| usage.end(run)),
        failure,
    })))
}

/// The processes that the model is in.
fn sampled(run: &Run<'_>, session: usize, launches: &[Launch]) -> Vec<Option<u32>> {
    let of_model = |launch: &Launch| match run.spec(session).runtime.server() {
        Some(server) => server.pid,
        None => Some(launch.worker.pid),
    };
    launches.iter().map(of_model).collect()
}

/// CPU time of a server.
struct ServerUsage {
    pid: Option<u32>,
    before: Option<Nanos>,
}

impl ServerUsage {
    /// Absent where the model is in no server.
    fn begin(run: &Run<'_>, session: usize) -> Option<Self> {
        let server = run.spec(session).runtime.server()?;
        Some(ServerUsage {
            pid: server.pid,
            before: server.pid.and_then(|pid| of_process(run, pid)),
        })
    }

    fn end(&self, run: &Run<'_>) -> Observed<Nanos> {
        let Some(pid) = self.pid else {
            return Err("the server's process is not named: `--server-pid` does".into());
        };
        let after = of_process(run, pid);
        let used = after
            .zip(self.before)
            .map(|(after, before)| after.since(before));
        used.ok_or_else(|| format!("process {pid} cannot be read").into())
    }
}

fn of_process(run: &Run<'_>, pid: u32) -> Option<Nanos> {
    process::cpu_time(&run.launcher.roots, pid)
}

/// A segment, and the plan that it is of.
struct Asked<'a> {
    plan: &'a LoadPlan,
    next: NextSegment,
}

impl Asked<'_> {
    fn serving(&self) -> &Serving {
        processes::serving(self.plan, self.next.key)
    }
}

/// What one process came to.
struct Came {
    index: usize,
    launch: Launch,
    answer: Result<Response, Failure>,
}

async fn at_once(
    run: &mut Run<'_>,
    served: &mut Served,
    launches: Vec<Launch>,
    asked: &Asked<'_>,
) -> Result<(Vec<ProcessLoad>, Option<Failure>)> {
    let next = &asked.next;
    let requests = match requests(run, asked) {
        Ok(requests) => requests,
        Err(failure) => {
            served.keep(next.key, launches);
            return Ok((Vec::new(), Some(failure)));
        }
    };
    let limit = patience(run, asked);
    let pids = sampled(run, next.key.session, &launches);
    let mut answers = JoinSet::new();
    for (index, (mut launch, request)) in launches.into_iter().zip(requests).enumerate() {
        answers.spawn(async move {
            let request = Request::Serve(Box::new(request));
            let answer = launch
                .worker
                .ask_for(limit, &request, "serve requests")
                .await;
            Came {
                index,
                launch,
                answer,
            }
        });
    }
    let mut sampled = Sampled::new(&run.launcher.roots, &pids, next.offer.whole_length());
    let came = sampled.until_all(&mut answers).await;
    sort_out(run, served, next, came, sampled.samples).await
}

/// Keeps the processes of a segment that came to its end, and ends those of one that failed.
async fn sort_out(
    run: &mut Run<'_>,
    served: &mut Served,
    next: &NextSegment,
    came: Vec<Came>,
    samples: Vec<Vec<ProcessSample>>,
) -> Result<(Vec<ProcessLoad>, Option<Failure>)> {
    let (mut launches, mut loads, mut failure) = (Vec::new(), Vec::new(), None);
    for (
        Came {
            mut launch, answer, ..
        },
        samples,
    ) in came.into_iter().zip(samples)
    {
        match answered(&mut launch, answer).await {
            Ok(load) => loads.push(ProcessLoad {
                launch: launch.record.launch,
                served: load,
                samples,
            }),
            Err(failed) => failure = failure.or(Some(failed)),
        }
        launches.push(launch);
    }
    match &failure {
        None => served.keep(next.key, launches),
        Some(failure) => served.drop_failed(run, launches, failure).await?,
    }
    Ok((loads, failure))
}

async fn answered(
    launch: &mut Launch,
    answer: Result<Response, Failure>,
) -> Result<ServedLoad, Failure> {
    match answer? {
        Response::Served(load) => Ok(*load),
        other => Err(launch.worker.unexpected(&other).await),
    }
}

/// Memory and open files of processes while they serve.
struct Sampled<'a> {
    roots: &'a Roots,
    /// Absent where nobody named it.
    pids: &'a [Option<u32>],
    samples: Vec<Vec<ProcessSample>>,
    every: Duration,
    began: Instant,
}

impl<'a> Sampled<'a> {
    fn new(roots: &'a Roots, pids: &'a [Option<u32>], length: Nanos) -> Self {
        Sampled {
            roots,
            pids,
            samples: vec![Vec::new(); pids.len()],
            every: (Duration::from(length) / SAMPLES).max(SAMPLING),
            began: Instant::now(),
        }
    }

    /// What all came to, in their order.
    async fn until_all(&mut self, asked: &mut JoinSet<Came>) -> Vec<Came> {
        let mut came = Vec::new();
        self.sample();
        let mut next = tokio::time::interval(self.every);
        next.tick().await;
        loop {
            tokio::select! {
                one = asked.join_next() => match one {
                    Some(Ok(one)) => came.push(one),
                    // A task that asks neither panics nor is cancelled before the run is.
                    Some(Err(_)) => {}
                    None => break,
                },
                _ = next.tick() => self.sample(),
            }
        }
        self.sample();
        came.sort_by_key(|one| one.index);
        came
    }

    fn sample(&mut self) {
        for (samples, pid) in self.samples.iter_mut().zip(self.pids) {
            let Some(pid) = *pid else { continue };
            let sample = ProcessSample {
                at_ns: self.began.elapsed().into(),
                memory_bytes: process::resident(self.roots, pid).ok(),
                open_files_count: process::open_files_count(self.roots, pid).ok(),
            };
            if sample.memory_bytes.is_some() {
                samples.push(sample);
            }
        }
    }
}

/// A request for each process, which has its share of what comes.
fn requests(run: &Run<'_>, asked: &Asked<'_>) -> Result<Vec<ServeRequest>, Failure> {
    let Asked { plan, next } = asked;
    let serving = asked.serving();
    let spec = run.spec(next.key.session);
    let inputs = inputs(run, next.key.session)?;
    let random_outputs = score::random_outputs(run);
    let start_at_ns = (serving.processes > 1).then(|| start(run, asked));
    let windows_count = match next.stage {
        LoadStage::Soak => WINDOWS_OF_SOAK,
        LoadStage::Asked
        | LoadStage::Bracket
        | LoadStage::Edge
        | LoadStage::Before
        | LoadStage::Ramp => WINDOWS,
    };
    let request = |process: u64| ServeRequest {
        model: run.plan().variants[spec.variant].path.clone(),
        spec: spec.clone(),
        inputs: inputs.clone(),
        arrivals: plan.arrivals.clone(),
        offer: next.offer,
        share: Share {
            index: process,
            of: serving.processes,
        },
        serving: serving.clone(),
        samples_count: plan.samples_count,
        start_at_ns,
        windows_count,
        random_outputs: random_outputs.clone(),
        limit_ns: limit(next.offer),
    };
    Ok((0..serving.processes).map(request).collect())
}

fn inputs(run: &Run<'_>, session: usize) -> Result<InputPlan, Failure> {
    let described = run.description(session).as_ref().map_err(Clone::clone)?;
    let inputs = described
        .inputs_at(0)
        .map_err(|reason| Failure::of(FailureKind::BadInput, reason))?;
    Ok(inputs.clone())
}

/// When no inference is begun any more.
fn limit(offer: Offer) -> Nanos {
    let length = offer.whole_length();
    length + Nanos(length.0 * DRAINING).max(LEAST_DRAINING)
}

/// When processes that serve together begin, on the clock that they share.
fn start(run: &Run<'_>, asked: &Asked<'_>) -> Nanos {
    let now = clock_gettime(ClockId::CLOCK_MONOTONIC).map_or(Duration::ZERO, Duration::from);
    (now + preparing(run, asked)).into()
}

/// Further sessions are created, and each runs once.
fn preparing(run: &Run<'_>, asked: &Asked<'_>) -> Duration {
    let session = asked.next.key.session;
    let sessions = times(asked.serving().sessions);
    let further = sessions.saturating_sub(1) * 2;
    let load = run.launch_time(session).unwrap_or_default();
    let inference = run.inference_time(session).unwrap_or_default();
    PREPARING + load * further + inference * sessions * 3
}

/// How long the answer is waited for: the segment, and what a process has for anything else.
fn patience(run: &Run<'_>, asked: &Asked<'_>) -> Duration {
    let segment = Duration::from(limit(asked.next.offer)) + preparing(run, asked) * 2;
    segment + run.launcher.timeout()
}

fn announce(run: &mut Run<'_>, asked: &Asked<'_>) {
    let label = run.label(asked.next.key.session);
    let place = place(asked);
    let budget = run.budget();
    run.observer.observe(&Progress::Loading {
        round: asked.next.round + 1,
        session: &label,
        place: &place,
        elapsed: run.time.of_part(),
        budget,
    });
}

/// What comes, and how it is served where there are several ways.
fn place(asked: &Asked<'_>) -> String {
    let Asked { plan, next } = asked;
    let what = match &plan.arrivals {
        Arrivals::Users { .. } => format!("{} virtual user(s)", next.offer.from.0),
        Arrivals::Constant
        | Arrivals::Poisson
        | Arrivals::Gamma { .. }
        | Arrivals::Bursts { .. }
        | Arrivals::Trace { .. } => rate_words(next.offer),
    };
    match plan.servings.len() {
        1 => what,
        _ => format!("{what}, served by {}", asked.serving()),
    }
}

fn rate_words(offer: Offer) -> String {
    let to = rounded(offer.to.0);
    if offer.from == offer.to {
        format!("{to} requests/s")
    } else {
        format!("{} to {to} requests/s", rounded(offer.from.0))
    }
}

/// With three digits at least.
fn rounded(rate: f64) -> String {
    let decimals = if rate >= 100.0 {
        0
    } else if rate >= 10.0 {
        1
    } else {
        2
    };
    format!("{rate:.decimals$}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::units::PerSecond;

    #[test]
    fn what_waits_may_be_run_after_the_last_request_has_come() {
        let offer = |length| Offer::at(PerSecond(1.0), Nanos(length), 0);
        assert_eq!(limit(offer(10_000_000_000)), Nanos(20_000_000_000));
        assert_eq!(limit(offer(1)), Nanos(2_000_000_001));
    }
}
