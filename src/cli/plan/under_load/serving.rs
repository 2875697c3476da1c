//! Options that say how a session is served, and the ways that they span.

use super::values;
use crate::cli::plan::load::sorted;
use crate::cli::plan::values as common;
use crate::cli::{CliError, Result};
use crate::plan::{Batcher, Flag, Serving};
use crate::text::distinct;

/// How each session is served.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Serving")]
pub struct ServingArgs {
    /// Threads of each process that run inferences; they share its sessions evenly. Of several
    /// numbers, each is compared with the least. With `--url`, requests that are sent at once.
    /// [default: as many as sessions; 16 to a server by itself]
    #[arg(long = Flag::Callers.word(), value_name = "N,N,...", value_delimiter = ',', value_parser = common::threads)]
    pub callers: Option<Vec<u64>>,
    /// Sessions of the model in each process.
    #[arg(long = Flag::Sessions.word(), value_name = "N,N,...", value_delimiter = ',', value_parser = common::threads, default_value = "1")]
    pub sessions: Vec<u64>,
    /// Processes; requests are spread over them.
    #[arg(long = Flag::Processes.word(), value_name = "N,N,...", value_delimiter = ',', value_parser = common::threads, default_value = "1")]
    pub processes: Vec<u64>,
    /// Requests that may wait in each process: one that comes when so many wait is rejected, which
    /// counts as an error.
    #[arg(long = Flag::Queue.word(), value_name = "N|none", value_parser = values::queue, default_value = "1000")]
    pub queue: std::option::Option<u64>,
    /// Gathers requests into batches: a batch is run when it has `max-batch` requests or a
    /// preferred number of them, or when the oldest one has waited for `max-delay`. May be given
    /// several times, and `none`, to be compared. [default: each request is run alone]
    #[arg(long = Flag::Batcher.word(), value_name = "max-batch=N,max-delay=TIME[,preferred=N:N]", value_parser = values::batcher)]
    pub batcher: Vec<std::option::Option<Batcher>>,
}

impl ServingArgs {
    /// Whether nothing is asked for.
    pub fn is_default(&self) -> bool {
        self.callers.is_none()
            && self.sessions == [1]
            && self.processes == [1]
            && self.batcher.is_empty()
    }

    /// Every combination in which each session has a thread.
    pub fn servings(&self) -> Result<Vec<Serving>> {
        let batchers = match &self.batcher[..] {
            [] => vec![None],
            named => distinct(named.iter().cloned()),
        };
        let mut servings = Vec::new();
        for sessions in sorted(self.sessions.iter().copied()) {
            for callers in self.callers_of(sessions)? {
                for processes in sorted(self.processes.iter().copied()) {
                    servings.extend(batchers.iter().map(|batcher| Serving {
                        callers,
                        sessions,
                        processes,
                        queue_limit: self.queue,
                        batcher: batcher.clone(),
                    }));
                }
            }
        }
        self.require_all(&servings)?;
        Ok(servings)
    }

    fn callers_of(&self, sessions: u64) -> Result<Vec<u64>> {
        let Some(callers) = &self.callers else {
            return Ok(vec![sessions]);
        };
        let callers: Vec<u64> = sorted(callers.iter().copied())
            .into_iter()
            .filter(|&callers| callers >= sessions)
            .collect();
        if callers.is_empty() {
            return Err(too_few(sessions));
        }
        Ok(callers)
    }

    /// No number of threads that was named is left out.
    fn require_all(&self, servings: &[Serving]) -> Result<()> {
        let left_out = self
            .callers
            .iter()
            .flatten()
            .find(|&&callers| !servings.iter().any(|serving| serving.callers == callers));
        match left_out.and(self.sessions.iter().min()) {
            Some(&sessions) => Err(too_few(sessions)),
            None => Ok(()),
        }
    }
}

fn too_few(sessions: u64) -> CliError {
    CliError::usage(
        format!("{sessions} sessions cannot be used by fewer threads"),
        format!(
            "name as many `{}` as sessions, or leave it out",
            Flag::Callers
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn args(callers: Option<&[u64]>, sessions: &[u64]) -> ServingArgs {
        ServingArgs {
            callers: callers.map(<[u64]>::to_vec),
            sessions: sessions.to_vec(),
            processes: vec![1],
            queue: Some(10),
            batcher: Vec::new(),
        }
    }

    fn pairs(args: &ServingArgs) -> Vec<(u64, u64)> {
        let servings = args.servings().unwrap();
        servings
            .iter()
            .map(|serving| (serving.callers, serving.sessions))
            .collect()
    }

    #[test]
    fn every_session_has_a_thread() {
        assert_eq!(pairs(&args(None, &[1, 2])), [(1, 1), (2, 2)]);
        assert_eq!(
            pairs(&args(Some(&[1, 2, 4]), &[1, 2])),
            [(1, 1), (2, 1), (4, 1), (2, 2), (4, 2)]
        );
        assert!(args(Some(&[1]), &[2]).servings().is_err());
        assert!(args(Some(&[1, 4]), &[2, 4]).servings().is_err());
    }

    #[test]
    fn batchers_are_compared() {
        let batcher = values::batcher("max-batch=4,max-delay=1ms").unwrap();
        let servings = ServingArgs {
            batcher: vec![None, batcher.clone(), batcher],
            ..args(None, &[1])
        }
        .servings()
        .unwrap();
        assert_eq!(servings.len(), 2);
        assert_eq!(servings[1].max_batch(), 4);
    }
}
