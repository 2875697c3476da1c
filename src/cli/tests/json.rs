//! Which commands print JSON.

use clap::CommandFactory as _;

use crate::cli::Cli;

/// Names of the commands that take no further command and no `--json`.
fn without_json(command: &clap::Command, path: &str) -> Vec<String> {
    let own = format!("{path} {}", command.get_name());
    let has_json = command
        .get_arguments()
        .any(|argument| argument.get_long() == Some("json"));
    let is_group = command.is_subcommand_required_set();
    let mut lacking: Vec<String> = command
        .get_subcommands()
        .filter(|command| !command.is_hide_set() && command.get_name() != "help")
        .flat_map(|command| without_json(command, &own))
        .collect();
    if !has_json && !is_group {
        lacking.push(own);
    }
    lacking
}

#[test]
fn every_command_takes_it() {
    let mut cli = Cli::command();
    cli.build();
    assert_eq!(without_json(&cli, ""), [""; 0]);
    let all: Vec<&str> = cli.get_subcommands().map(clap::Command::get_name).collect();
    assert!(
        ["profile", "gate", "schema"]
            .iter()
            .all(|name| all.contains(name))
    );
}
