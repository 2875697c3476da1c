//! A page in headless Chromium.

use std::cell::RefCell;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use std::{env, fs};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::devtools::{PATIENCE, Tab};

/// A tab with everything that went wrong in it.
pub struct Page {
    tab: RefCell<Tab>,
}

/// Opens a page, from a file in `folder`; without a browser says so and gives `None`.
pub fn page(folder: &Path, html: &str) -> Option<Page> {
    let Some(path) = chromium() else {
        println!("skipped: no Chromium: `ONNXPROF_CHROMIUM` is not set, and none is on the path");
        return None;
    };
    let page = Page {
        tab: RefCell::new(Tab::start(&path)),
    };
    for domain in ["Log", "Runtime", "Network", "Page"] {
        page.call(&format!("{domain}.enable"), json!({}));
    }
    page.open(folder, html);
    Some(page)
}

fn chromium() -> Option<PathBuf> {
    if let Some(path) = env::var_os("ONNXPROF_CHROMIUM") {
        return Some(path.into());
    }
    let folders: Vec<PathBuf> = env::split_paths(&env::var_os("PATH")?).collect();
    let names = ["chromium", "chromium-browser", "google-chrome"];
    names
        .iter()
        .flat_map(|name| folders.iter().map(move |folder| folder.join(name)))
        .find(|path| path.is_file())
}

/// Charts that are seen, by their selector: those in a folded part are not drawn before it opens.
pub const OPEN_CHARTS: &str = ".chart:not(details:not([open]) *)";

/// What is wrong about an event, if anything is.
fn trouble(event: &Value) -> Option<String> {
    let params = &event["params"];
    match event["method"].as_str()? {
        "Network.requestWillBeSent" => {
            let url = params["request"]["url"].as_str()?;
            (!url.starts_with("file:") && !url.starts_with("data:"))
                .then(|| format!("request of {url}"))
        }
        "Log.entryAdded" => Some(format!("log: {}", params["entry"])),
        "Runtime.consoleAPICalled" => Some(format!("console: {}", params["args"])),
        "Runtime.exceptionThrown" => Some(format!("exception: {}", params["exceptionDetails"])),
        "Page.javascriptDialogOpening" => Some(format!("dialog: {}", params["message"])),
        _ => None,
    }
}

impl Page {
    fn call(&self, method: &str, params: Value) -> Value {
        self.tab.borrow_mut().call(method, params)
    }

    /// Opens another page, and waits until its charts are drawn.
    pub fn open(&self, folder: &Path, html: &str) {
        let file = folder.join("report.html");
        fs::write(&file, html).unwrap();
        let known = self.tab.borrow().events.len();
        self.call(
            "Page.navigate",
            json!({"url": format!("file://{}", file.display())}),
        );
        self.tab
            .borrow_mut()
            .wait_for_event("Page.loadEventFired", known);
        self.wait_for("document.readyState === 'complete' && document.querySelectorAll('.chart .main-svg').length > 0");
    }

    /// Requests that left the machine's files, messages on the console, exceptions and dialogs so
    /// far.
    pub fn troubles(&self) -> Vec<String> {
        // Events that were told before this answer have come with it.
        self.run("0");
        self.tab
            .borrow()
            .events
            .iter()
            .filter_map(trouble)
            .collect()
    }

    fn value(&self, expression: &str) -> Value {
        let found = self.call(
            "Runtime.evaluate",
            json!({"expression": expression, "returnByValue": true}),
        );
        assert!(
            found["exceptionDetails"].is_null(),
            "{expression}: {}",
            found["exceptionDetails"]
        );
        found["result"]["value"].clone()
    }

    /// Opens or folds all parts, and waits until the charts in them are drawn.
    pub fn unfold(&self, is_open: bool) {
        self.run(&format!(
            "document.querySelectorAll('details').forEach((one) => {{ one.open = {is_open}; }})"
        ));
        self.wait_for(&format!("[...document.querySelectorAll('{OPEN_CHARTS}')].every((chart) => chart.querySelector('.main-svg'))"));
    }

    pub fn run(&self, expression: &str) {
        self.value(expression);
    }

    pub fn is(&self, expression: &str) -> bool {
        self.value(expression)
            .as_bool()
            .unwrap_or_else(|| panic!("{expression} is neither true nor false"))
    }

    pub fn number(&self, expression: &str) -> f64 {
        self.value(expression)
            .as_f64()
            .unwrap_or_else(|| panic!("{expression} is no number"))
    }

    pub fn text(&self, expression: &str) -> String {
        self.value(expression)
            .as_str()
            .unwrap_or_else(|| panic!("{expression} is no text"))
            .to_owned()
    }

    pub fn wait_for(&self, expression: &str) {
        let start = Instant::now();
        while !self.is(expression) {
            assert!(
                start.elapsed() < PATIENCE,
                "waited in vain for {expression}"
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Moves the mouse onto an element, and waits for what the chart shows there.
    pub fn hover(&self, selector: &str) {
        let middle = self.value(&format!(
            "(() => {{
                const one = document.querySelector({});
                one.scrollIntoView({{ block: 'center', behavior: 'instant' }});
                const box = one.getBoundingClientRect();
                return {{ type: 'mouseMoved', x: box.x + box.width / 2, y: box.y + box.height / 2 }};
            }})()",
            Value::from(selector)
        ));
        self.call("Input.dispatchMouseEvent", middle);
        self.wait_for("[...document.querySelectorAll('.hoverlayer')].some((layer) => layer.textContent !== '')");
    }

    /// Presses a key that is named as the place where it lies is, such as `ArrowDown`.
    pub fn press(&self, key: &str) {
        for kind in ["keyDown", "keyUp"] {
            self.call(
                "Input.dispatchKeyEvent",
                json!({"type": kind, "key": key, "code": key}),
            );
        }
    }

    /// Shows the page as `screen` or `print` does.
    pub fn media(&self, media: &str) {
        self.call("Emulation.setEmulatedMedia", json!({"media": media}));
    }

    pub fn prefers(&self, theme: &str) {
        let feature = json!({"name": "prefers-color-scheme", "value": theme});
        self.call("Emulation.setEmulatedMedia", json!({"features": [feature]}));
    }

    pub fn resize(&self, width: u32, height: u32) {
        let size = json!({"width": width, "height": height, "deviceScaleFactor": 1.0, "mobile": width < 500});
        self.call("Emulation.setDeviceMetricsOverride", size);
        self.wait_for(&format!("window.innerWidth === {width}"));
        self.wait_for(&format!("[...document.querySelectorAll('{OPEN_CHARTS}')].every((chart) => chart.querySelector('.main-svg')?.width.baseVal.value <= chart.clientWidth + 1)"));
    }

    /// Keeps a picture of the whole page in the folder `ONNXPROF_SCREENSHOTS`, if that is set, to
    /// be looked at.
    pub fn screenshot(&self, name: &str) {
        let Some(folder) = env::var_os("ONNXPROF_SCREENSHOTS") else {
            return;
        };
        let (width, height) = (
            self.number("innerWidth"),
            self.number("document.documentElement.scrollHeight"),
        );
        let clip = json!({"x": 0.0, "y": 0.0, "width": width, "height": height, "scale": 1.0});
        let picture = self.file(
            "Page.captureScreenshot",
            json!({"clip": clip, "captureBeyondViewport": true}),
        );
        fs::write(Path::new(&folder).join(format!("{name}.png")), picture).unwrap();
    }

    pub fn pdf(&self) -> Vec<u8> {
        let pdf = self.file("Page.printToPDF", json!({}));
        if let Some(folder) = env::var_os("ONNXPROF_SCREENSHOTS") {
            fs::write(Path::new(&folder).join("print.pdf"), &pdf).unwrap();
        }
        pdf
    }

    fn file(&self, method: &str, params: Value) -> Vec<u8> {
        STANDARD
            .decode(self.call(method, params)["data"].as_str().unwrap())
            .unwrap()
    }
}
