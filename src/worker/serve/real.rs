//! Requests served in real time, on threads.

use super::integrity::Reference;
use super::outcome::Course;
use crate::engine::{self, EngineError, ServedInference};
use crate::measure::{self, Caller, ServedSegment, ServingTarget};
use crate::protocol::ServeRequest;
use crate::record::{Exchanged, Integrity, SenderPlace};
use crate::traffic::{Arriving, Request};
use crate::units::Bytes;

pub(super) fn run(
    callers: Vec<Box<dyn ServedInference + '_>>,
    request: &ServeRequest,
    reference: &Reference,
    arrivals: &mut dyn Arriving,
) -> Course {
    let most = request.serving.max_batch() as usize;
    let mut callers: Vec<RealCaller<'_>> = callers
        .into_iter()
        .map(|served| RealCaller {
            reference,
            before: served.exchanged(),
            samples: Vec::with_capacity(most),
            served,
            integrity: Integrity::default(),
        })
        .collect();
    let target = ServingTarget {
        serving: &request.serving,
        length: request.offer.whole_length(),
        windows: request.windows_count as usize,
        start: request.start_at_ns,
        model_threads: model_threads(request),
        limit: request.limit_ns,
    };
    let segment = measure::serve(&target, arrivals, &mut callers);
    Course {
        exchanged: request.spec.is_remote().then(|| exchanged(&callers)),
        ..course(segment, &callers, reference)
    }
}

fn course(segment: ServedSegment, callers: &[RealCaller<'_>], reference: &Reference) -> Course {
    let mut integrity = Integrity {
        cost_ns: segment.check_cost,
        ..Integrity::default()
    };
    for caller in callers {
        integrity.checked += caller.integrity.checked;
        integrity.same += caller.integrity.same;
        integrity.close += caller.integrity.close;
        integrity.wrong += caller.integrity.wrong;
    }
    Course {
        tally: segment.tally,
        elapsed: segment.elapsed,
        integrity: reference.told(integrity),
        first_error: segment.first_error,
        sender: Some(if segment.sender_is_apart {
            SenderPlace::OwnCpu
        } else {
            SenderPlace::Shared
        }),
        exchanged: None,
        usage: segment.usage,
    }
}

/// Of all callers since the segment began.
fn exchanged(callers: &[RealCaller<'_>]) -> Exchanged {
    let sum = |size: fn(&Exchanged) -> Bytes| {
        let sizes = callers.iter().map(|caller| {
            let now = size(&caller.served.exchanged());
            Bytes(now.0.saturating_sub(size(&caller.before).0))
        });
        sizes.sum()
    };
    Exchanged {
        sent_bytes: sum(|one| one.sent_bytes),
        received_bytes: sum(|one| one.received_bytes),
    }
}

/// Threads that run the model at the same time at most, over all processes; any number where the
/// runtime chooses it.
fn model_threads(request: &ServeRequest) -> u64 {
    match request.spec.options.intra_threads {
        0 => u64::MAX,
        threads => request.serving.threads(threads),
    }
}

struct RealCaller<'a> {
    served: Box<dyn ServedInference + 'a>,
    reference: &'a Reference,
    /// What was exchanged before the segment.
    before: Exchanged,
    /// Places of the samples of the batch that is run.
    samples: Vec<usize>,
    integrity: Integrity,
}

impl Caller for RealCaller<'_> {
    type Error = EngineError;

    fn run(&mut self, batch: &[Request]) -> engine::Result<()> {
        let count = self.reference.samples_count().max(1) as u64;
        self.samples.clear();
        self.samples.extend(
            batch
                .iter()
                .map(|request| (request.number % count) as usize),
        );
        self.served.run(&self.samples)
    }

    fn check(&mut self, _batch: &[Request]) {
        for (place, &sample) in self.samples.iter().enumerate() {
            let outputs = self.served.outputs(place);
            self.reference.judge(sample, outputs, &mut self.integrity);
        }
    }

    fn prepare(&mut self) -> engine::Result<()> {
        self.served.prepare()
    }
}
