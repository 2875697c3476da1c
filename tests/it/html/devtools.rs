//! Chromium's DevTools protocol over a pipe: JSON messages that end in a zero byte.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;

/// How long Chromium may take to answer, and a page to be drawn.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// Chromium takes commands from its file 3 and answers on its file 4. The shell puts our two pipes
/// there.
const START: &str = r#"exec "$0" "$@" 3<&0 4>&1 </dev/null >&2"#;

const OPTIONS: [&str; 14] = [
    "--headless",
    "--remote-debugging-pipe",
    "--no-sandbox",
    "--window-size=1000,800",
    "--disable-background-networking",
    "--disable-background-timer-throttling",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-dev-shm-usage",
    "--disable-extensions",
    "--disable-sync",
    "--force-color-profile=srgb",
    "--no-first-run",
    "--password-store=basic",
];

/// A headless Chromium with one tab.
pub struct Tab {
    chromium: Child,
    commands: ChildStdin,
    messages: Receiver<Value>,
    last_id: u64,
    /// The tab's session; `None` before it is attached to.
    session: Option<String>,
    /// Everything that was told without being asked for, in order.
    pub events: Vec<Value>,
    /// Holds the profile and the log; removed in the end.
    folder: TempDir,
}

impl Tab {
    pub fn start(chromium: &Path) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut profile = std::ffi::OsString::from("--user-data-dir=");
        profile.push(folder.path().join("profile"));
        let mut child = Command::new("/bin/sh")
            .args(["-c", START])
            .arg(chromium)
            .args(OPTIONS)
            .arg(profile)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(File::create(log(&folder)).unwrap())
            .spawn()
            .unwrap();
        let (commands, messages) = (
            child.stdin.take().unwrap(),
            read(child.stdout.take().unwrap()),
        );
        let mut tab = Tab {
            chromium: child,
            commands,
            messages,
            last_id: 0,
            session: None,
            events: Vec::new(),
            folder,
        };
        let target = tab.call("Target.createTarget", json!({"url": "about:blank"}));
        let attached = tab.call(
            "Target.attachToTarget",
            json!({"targetId": target["targetId"], "flatten": true}),
        );
        tab.session = Some(attached["sessionId"].as_str().unwrap().to_owned());
        tab
    }

    /// Has Chromium do something, and gives its answer.
    pub fn call(&mut self, method: &str, params: Value) -> Value {
        self.last_id += 1;
        let mut message = json!({"id": self.last_id, "method": method, "params": params});
        if let Some(session) = &self.session {
            message["sessionId"] = session.as_str().into();
        }
        self.commands
            .write_all(format!("{message}\0").as_bytes())
            .unwrap();
        loop {
            let answer = self.next(method);
            if answer["id"] == self.last_id {
                assert!(answer["error"].is_null(), "{method}: {}", answer["error"]);
                return answer["result"].clone();
            }
            self.events.push(answer);
        }
    }

    /// Waits until an event of that name has come that is not among the first `known`.
    pub fn wait_for_event(&mut self, name: &str, known: usize) {
        while !self.events[known..]
            .iter()
            .any(|event| event["method"] == name)
        {
            let event = self.next(name);
            self.events.push(event);
        }
    }

    fn next(&self, awaited: &str) -> Value {
        self.messages
            .recv_timeout(PATIENCE)
            .unwrap_or_else(|error| {
                let log = fs::read_to_string(log(&self.folder)).unwrap_or_default();
                panic!(
                    "waited in vain for {awaited}: {error}; last told: {:?}\n{log}",
                    self.events.last()
                )
            })
    }
}

impl Drop for Tab {
    fn drop(&mut self) {
        // What it is in the middle of matters to nobody.
        let _ = self.chromium.kill();
        let _ = self.chromium.wait();
    }
}

fn log(folder: &TempDir) -> PathBuf {
    folder.path().join("log")
}

/// Messages as they come, read by a thread of its own so that waiting for one can end.
fn read(pipe: ChildStdout) -> Receiver<Value> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        for message in BufReader::new(pipe).split(0).map_while(Result::ok) {
            if sender
                .send(serde_json::from_slice(&message).unwrap())
                .is_err()
            {
                break;
            }
        }
    });
    receiver
}
