//! A page in headless Chromium.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use std::{env, fs};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use headless_chrome::protocol::cdp::types::Event;
use headless_chrome::protocol::cdp::{Emulation, Network, Page as PageDomain};
use headless_chrome::{Browser, LaunchOptions, Tab};

/// A tab with everything that went wrong in it.
pub struct Page {
    tab: Arc<Tab>,
    troubles: Arc<Mutex<Vec<String>>>,
    _browser: Browser,
}

/// How long a page may take until it is drawn.
const PATIENCE: Duration = Duration::from_secs(60);

/// Opens a page, from a file in `folder`; without a browser says so and gives `None`.
pub fn page(folder: &Path, html: &str) -> Option<Page> {
    let Some(path) = chromium() else {
        println!("skipped: no Chromium: `ONNXPROF_CHROMIUM` is not set, and none is on the path");
        return None;
    };
    let options = LaunchOptions::default_builder()
        .path(Some(path))
        .sandbox(false)
        .window_size(Some((1000, 800)))
        .idle_browser_timeout(PATIENCE)
        .build()
        .unwrap();
    let browser = Browser::new(options).unwrap();
    let tab = browser.new_tab().unwrap();
    tab.set_default_timeout(PATIENCE);
    let page = Page { tab, troubles: Arc::default(), _browser: browser };
    page.watch();
    page.open(folder, html);
    Some(page)
}

fn chromium() -> Option<PathBuf> {
    if let Some(path) = env::var_os("ONNXPROF_CHROMIUM") {
        return Some(path.into());
    }
    let folders: Vec<PathBuf> = env::split_paths(&env::var_os("PATH")?).collect();
    let names = ["chromium", "chromium-browser", "google-chrome"];
    names.iter().flat_map(|name| folders.iter().map(move |folder| folder.join(name))).find(|path| path.is_file())
}

impl Page {
    fn watch(&self) {
        let troubles = Arc::clone(&self.troubles);
        let listener = move |event: &Event| {
            let trouble = match event {
                Event::NetworkRequestWillBeSent(event) => {
                    let url = &event.params.request.url;
                    (!url.starts_with("file:") && !url.starts_with("data:")).then(|| format!("request of {url}"))
                }
                Event::LogEntryAdded(event) => Some(format!("log: {:?}", event.params.entry)),
                Event::RuntimeConsoleAPICalled(event) => Some(format!("console: {:?}", event.params.args)),
                Event::RuntimeExceptionThrown(event) => {
                    Some(format!("exception: {:?}", event.params.exception_details))
                }
                Event::PageJavascriptDialogOpening(event) => Some(format!("dialog: {}", event.params.message)),
                _ => None,
            };
            troubles.lock().unwrap().extend(trouble);
        };
        self.tab.enable_log().unwrap();
        self.tab.enable_runtime().unwrap();
        let enable = Network::Enable {
            max_total_buffer_size: None,
            max_resource_buffer_size: None,
            max_post_data_size: None,
            report_direct_socket_traffic: None,
            enable_durable_messages: None,
        };
        self.tab.call_method(enable).unwrap();
        self.tab.add_event_listener(Arc::new(listener)).unwrap();
    }

    /// Opens another page, and waits until its charts are drawn.
    pub fn open(&self, folder: &Path, html: &str) {
        let file = folder.join("report.html");
        fs::write(&file, html).unwrap();
        self.tab.navigate_to(&format!("file://{}", file.display())).unwrap();
        self.tab.wait_until_navigated().unwrap();
        self.wait_for("document.readyState === 'complete' && document.querySelectorAll('.chart .main-svg').length > 0");
    }

    /// Requests that left the machine's files, messages on the console, exceptions and dialogs so far.
    pub fn troubles(&self) -> Vec<String> {
        self.troubles.lock().unwrap().clone()
    }

    fn value(&self, expression: &str) -> serde_json::Value {
        let found = self.tab.evaluate(expression, false).unwrap_or_else(|error| panic!("{expression}: {error}"));
        found.value.unwrap_or_default()
    }

    pub fn run(&self, expression: &str) {
        self.value(expression);
    }

    pub fn is(&self, expression: &str) -> bool {
        self.value(expression).as_bool().unwrap_or_else(|| panic!("{expression} is neither true nor false"))
    }

    pub fn number(&self, expression: &str) -> f64 {
        self.value(expression).as_f64().unwrap_or_else(|| panic!("{expression} is no number"))
    }

    pub fn text(&self, expression: &str) -> String {
        self.value(expression).as_str().unwrap_or_else(|| panic!("{expression} is no text")).to_owned()
    }

    fn wait_for(&self, expression: &str) {
        let start = Instant::now();
        while !self.is(expression) {
            assert!(start.elapsed() < PATIENCE, "waited in vain for {expression}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Moves the mouse onto an element, and waits for what the chart shows there.
    pub fn hover(&self, selector: &str) {
        let element = self.tab.find_element(selector).unwrap();
        element.scroll_into_view().unwrap();
        element.move_mouse_over().unwrap();
        self.wait_for("[...document.querySelectorAll('.hoverlayer')].some((layer) => layer.textContent !== '')");
    }

    pub fn press(&self, key: &str) {
        self.tab.press_key(key).unwrap();
    }

    /// Shows the page as `screen` or `print` does.
    pub fn media(&self, media: &str) {
        self.tab.call_method(Emulation::SetEmulatedMedia { media: Some(media.into()), features: None }).unwrap();
    }

    pub fn prefers(&self, theme: &str) {
        let feature = Emulation::MediaFeature { name: "prefers-color-scheme".into(), value: theme.into() };
        self.tab.call_method(Emulation::SetEmulatedMedia { media: None, features: Some(vec![feature]) }).unwrap();
    }

    pub fn resize(&self, width: u32, height: u32) {
        self.tab
            .call_method(Emulation::SetDeviceMetricsOverride {
                width,
                height,
                device_scale_factor: 1.0,
                mobile: width < 500,
                scale: None,
                screen_width: None,
                screen_height: None,
                position_x: None,
                position_y: None,
                dont_set_visible_size: None,
                screen_orientation: None,
                viewport: None,
                display_feature: None,
                device_posture: None,
            })
            .unwrap();
        self.wait_for(&format!("window.innerWidth === {width}"));
        self.wait_for("[...document.querySelectorAll('.chart')].every((chart) => chart.querySelector('.main-svg').width.baseVal.value <= chart.clientWidth + 1)");
    }

    /// Keeps a picture of the whole page in the folder `ONNXPROF_SCREENSHOTS`, if that is set, to be looked at.
    pub fn screenshot(&self, name: &str) {
        let Some(folder) = env::var_os("ONNXPROF_SCREENSHOTS") else { return };
        let (width, height) = (self.number("innerWidth"), self.number("document.documentElement.scrollHeight"));
        let clip = PageDomain::Viewport { x: 0.0, y: 0.0, width, height, scale: 1.0 };
        let format = PageDomain::CaptureScreenshotFormatOption::Png;
        let capture = PageDomain::CaptureScreenshot {
            format: Some(format),
            quality: None,
            clip: Some(clip),
            from_surface: Some(true),
            capture_beyond_viewport: Some(true),
            optimize_for_speed: None,
        };
        let picture = STANDARD.decode(self.tab.call_method(capture).unwrap().data).unwrap();
        fs::write(Path::new(&folder).join(format!("{name}.png")), picture).unwrap();
    }

    pub fn pdf(&self) -> Vec<u8> {
        let pdf = self.tab.print_to_pdf(None).unwrap();
        if let Some(folder) = env::var_os("ONNXPROF_SCREENSHOTS") {
            fs::write(Path::new(&folder).join("print.pdf"), &pdf).unwrap();
        }
        pdf
    }
}
