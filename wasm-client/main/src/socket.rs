//! A [`Session`] on a real WebSocket, with real timers.

use std::cell::RefCell;
use std::rc::{Rc, Weak};

use engine_core::protocol::{ClientMessage, Directory, Topic};
use js_sys::{ArrayBuffer, Function, JSON, Object, Reflect, Uint8Array};
use wasm_bindgen::closure::Closure;
use wasm_bindgen::prelude::*;
use web_sys::{BinaryType, CloseEvent, MessageEvent, WebSocket};

use crate::clock::{Clock, MAX_AHEAD_SECONDS, MAX_GONE_SECONDS, Playhead};
use crate::from_js::from_js;
use crate::objects::{HeardObject, Objects};
use crate::parsed::{HelloMessage, PongMessage, envelope, frame};
use crate::read::{checked, live_note};
use crate::session::{Action, Loss, Session, Status, StreamKey, is_fence};
use crate::slots::Slots;
use crate::to_js::{Made, ToJs};

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(js_name = setTimeout)]
    fn set_timeout(callback: &Function, ms: f64) -> JsValue;
    #[wasm_bindgen(js_name = clearTimeout)]
    fn clear_timeout(id: &JsValue);
    #[wasm_bindgen(js_namespace = performance, js_name = now)]
    fn now() -> f64;
}

/// One stream connection that keeps itself alive until it is closed.
#[wasm_bindgen]
pub struct Connection {
    link: Rc<RefCell<Link>>,
}

struct Link {
    url: String,
    protocols: js_sys::Array,
    session: Session<fn() -> f64>,
    slots: Slots,
    objects: Objects,
    hello: JsValue,
    /// What the server refused last, while it stays connected, in its own words; null before.
    refusal: JsValue,
    on_change: Function,
    on_queued: Function,
    clock: Clock,
    playhead: Playhead,
    heard: HeardObject,
    socket: Option<Socket>,
    timer: Option<(JsValue, Closure<dyn FnMut()>)>,
    this: Weak<RefCell<Link>>,
}

/// A socket and the callbacks that must live as long as it.
struct Socket {
    socket: WebSocket,
    _on_message: Closure<dyn FnMut(MessageEvent)>,
    _on_close: Closure<dyn FnMut(CloseEvent)>,
}

#[wasm_bindgen]
impl Connection {
    /// Connects to a stream endpoint. `on_change` is called when status, error or hello changed, `on_queued` when
    /// frames came that may not wait for an animation frame.
    #[wasm_bindgen(constructor)]
    pub fn new(url: String, protocols: js_sys::Array, on_change: Function, on_queued: Function) -> Self {
        let link = Rc::new_cyclic(|this| {
            RefCell::new(Link {
                url,
                protocols,
                session: Session::new(js_sys::Math::random as fn() -> f64),
                slots: Slots::default(),
                objects: Objects::default(),
                hello: JsValue::NULL,
                refusal: JsValue::NULL,
                on_change,
                on_queued,
                clock: Clock::default(),
                playhead: Playhead::default(),
                heard: HeardObject::default(),
                socket: None,
                timer: None,
                this: this.clone(),
            })
        });
        act(&link, |link| link.session.open(now()));
        Self { link }
    }

    /// Starts a stream, or changes its options.
    ///
    /// # Errors
    /// An option out of range: `{code, message, field}`.
    pub fn subscribe(
        &self,
        topic: &str,
        tap: String,
        fps: Option<u16>,
        options: JsValue,
    ) -> Result<(), JsValue> {
        let (topic, options) = checked(topic, fps, options)?;
        act(&self.link, |link| link.session.subscribe((topic, tap), fps, options));
        Ok(())
    }

    /// Ends a stream; of a tap's triggers, the one of that kind.
    pub fn unsubscribe(&self, topic: &str, tap: String, kind: JsValue) {
        if let Some(topic) = Topic::from_name(topic) {
            act(&self.link, |link| {
                // The next stream of this place may be of other options.
                link.slots.forget(topic, &tap);
                link.session.unsubscribe(&(topic, tap), from_js(&kind).unwrap_or_default())
            });
        }
    }

    /// Plays a note; nothing while there is no connection.
    ///
    /// # Errors
    /// The field that is out of range: `{code, message, field}`.
    pub fn note(&self, note: JsValue) -> Result<(), JsValue> {
        let note = live_note(note)?;
        act(&self.link, |link| link.session.note(note));
        Ok(())
    }

    /// Every frame that came since the last call. Objects and arrays are reused.
    pub fn drain(&self) -> js_sys::Array {
        let Link { slots, objects, .. } = &mut *self.link.borrow_mut();
        objects.drain(slots)
    }

    /// Triggers and audio that came since the last call.
    pub fn drain_queue(&self) -> js_sys::Array {
        let Link { slots, objects, .. } = &mut *self.link.borrow_mut();
        objects.drain_queue(slots)
    }

    /// Measures the server's clock on this connection, for [`Self::playhead`].
    pub fn keep_time(&self) {
        self.link.borrow_mut().session.keep_time();
    }

    /// What has to be added to `performance.now()` for the server's Unix milliseconds; `undefined` until it is
    /// measured.
    pub fn clock_offset(&self) -> Option<f64> {
        self.link.borrow().clock.offset()
    }

    /// What the server's loudspeaker plays now, `latency_ms` after its engine made it; null before that is known.
    /// When frames no longer come it waits, unless it is asked where a server that is gone would be. The object is
    /// reused.
    pub fn playhead(&self, latency_ms: f64, is_gone: bool) -> JsValue {
        let Link { clock, playhead, slots, heard, .. } = &mut *self.link.borrow_mut();
        let rate = slots.directory().sample_rate;
        let max_ahead = if is_gone { MAX_GONE_SECONDS } else { MAX_AHEAD_SECONDS };
        let at = clock
            .offset()
            .and_then(|offset| playhead.sample_at(now() + offset - latency_ms, rate))
            .and_then(|sample| playhead.at(sample, rate, max_ahead));
        heard.update(at)
    }

    /// `connecting`, `live`, `reconnecting`, `closed` or `failed`.
    #[wasm_bindgen(getter)]
    pub fn status(&self) -> String {
        let name = match self.link.borrow().session.status() {
            Status::Connecting => "connecting",
            Status::Live => "live",
            Status::Reconnecting => "reconnecting",
            Status::Closed => "closed",
            Status::Failed => "failed",
        };
        name.to_owned()
    }

    /// Why it is not live: `{code, message, hint}`; null when it is.
    #[wasm_bindgen(getter)]
    pub fn error(&self) -> JsValue {
        self.link.borrow().session.loss().map_or(JsValue::NULL, loss_to_js)
    }

    /// What the server refused last, while it is live: its own `error`; null before.
    #[wasm_bindgen(getter)]
    pub fn refusal(&self) -> JsValue {
        self.link.borrow().refusal.clone()
    }

    /// The last `hello`; null before it.
    #[wasm_bindgen(getter)]
    pub fn hello(&self) -> JsValue {
        self.link.borrow().hello.clone()
    }

    /// Tries at once if it is waiting to try again.
    pub fn nudge(&self) {
        act(&self.link, |link| link.session.nudge(now()));
    }

    /// Closes for good.
    pub fn close(&self) {
        act(&self.link, |link| link.session.close());
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.close();
    }
}

/// Lets the session handle something, carries out what it wants, and reports what changed.
fn act(link: &Rc<RefCell<Link>>, event: impl FnOnce(&mut Link) -> Vec<Action>) {
    let before = link.borrow().standing();
    let actions = event(&mut link.borrow_mut());
    carry_out(link, actions, before);
}

fn carry_out(link: &Rc<RefCell<Link>>, actions: Vec<Action>, before: (Status, Option<Loss>)) {
    let (changed, on_change) = {
        let mut link = link.borrow_mut();
        for action in actions {
            match action {
                Action::Connect => link.connect(),
                Action::Send(message) => link.send(&message),
                Action::Abandon => link.abandon(),
            }
        }
        link.set_timer();
        (before != link.standing(), link.on_change.clone())
    };
    // Outside the borrow: whoever is called may call back.
    if changed {
        let _ = on_change.call0(&JsValue::UNDEFINED);
    }
}

impl Link {
    /// What `on_change` is about.
    fn standing(&self) -> (Status, Option<Loss>) {
        (self.session.status(), self.session.loss().cloned())
    }

    fn connect(&mut self) {
        self.refusal = JsValue::NULL;
        let socket = match WebSocket::new_with_str_sequence(&self.url, &self.protocols) {
            Ok(socket) => socket,
            // A URL that cannot be one, or forbidden from here: the same as an endpoint that does not answer.
            Err(_) => {
                let _ = self.session.closed(1006, "the browser refused to open it", now());
                return;
            }
        };
        socket.set_binary_type(BinaryType::Arraybuffer);
        let this = self.this.clone();
        let on_message = Closure::new(move |event: MessageEvent| {
            if let Some(link) = this.upgrade() {
                received(&link, &event.data());
            }
        });
        let this = self.this.clone();
        let on_close = Closure::new(move |event: CloseEvent| {
            if let Some(link) = this.upgrade() {
                act(&link, |link| {
                    link.socket = None;
                    link.session.closed(event.code(), &event.reason(), now())
                });
            }
        });
        socket.set_onmessage(Some(on_message.as_ref().unchecked_ref()));
        socket.set_onclose(Some(on_close.as_ref().unchecked_ref()));
        self.socket = Some(Socket { socket, _on_message: on_message, _on_close: on_close });
    }

    fn send(&self, message: &ClientMessage) {
        if let (Some(socket), Ok(text)) = (&self.socket, JSON::stringify(&message.to_js())) {
            // It fails only while the socket is not open; then the close event is on its way.
            let _ = socket.socket.send_with_str(&String::from(text));
        }
    }

    fn abandon(&mut self) {
        if let Some(Socket { socket, .. }) = self.socket.take() {
            socket.set_onmessage(None);
            socket.set_onclose(None);
            let _ = socket.close();
        }
    }

    fn set_timer(&mut self) {
        if let Some((id, _)) = self.timer.take() {
            clear_timeout(&id);
        }
        if let Some(at) = self.session.wake_at() {
            let this = self.this.clone();
            let callback: Closure<dyn FnMut()> = Closure::new(move || {
                if let Some(link) = this.upgrade() {
                    act(&link, |link| link.session.tick(now()));
                }
            });
            let id = set_timeout(callback.as_ref().unchecked_ref(), (at - now()).max(0.0));
            self.timer = Some((id, callback));
        }
    }
}

fn received(link: &Rc<RefCell<Link>>, data: &JsValue) {
    link.borrow_mut().session.heard(now());
    if let Some(buffer) = data.dyn_ref::<ArrayBuffer>() {
        let bytes = Uint8Array::new(buffer).to_vec();
        frames(link, |slots, accept| slots.push_bytes(&bytes, accept));
    } else if let Some(message) = data.as_string().and_then(|text| JSON::parse(&text).ok()) {
        text(link, message);
    }
}

/// Puts frames into slots, and declines streams that nobody wants.
fn frames(link: &Rc<RefCell<Link>>, push: impl FnOnce(&mut Slots, &mut dyn FnMut(Topic, &str, u32) -> bool)) {
    let mut declined = Vec::new();
    let on_queued = {
        let Link { slots, session, playhead, on_queued, .. } = &mut *link.borrow_mut();
        push(slots, &mut |topic, tap, seq| {
            let key: StreamKey = (topic, tap.to_owned());
            let (is_wanted, actions) = session.frame(key, seq);
            declined.extend(actions);
            is_wanted
        });
        if let Some(transport) = slots.transport() {
            playhead.observe(transport);
        }
        slots.has_queued().then(|| on_queued.clone())
    };
    if !declined.is_empty() {
        act(link, |_| declined);
    }
    if let Some(on_queued) = on_queued {
        let _ = on_queued.call0(&JsValue::UNDEFINED);
    }
}

fn text(link: &Rc<RefCell<Link>>, message: JsValue) {
    let kind = Reflect::get(&message, &"type".into()).ok().and_then(|kind| kind.as_string());
    match kind.as_deref() {
        Some("hello") => match from_js(&message) {
            Ok(hello) => said_hello(link, hello, message),
            Err(error) => act(link, |link| link.session.misread(&error.text())),
        },
        Some("pong") => {
            if let Ok(PongMessage { t0, t1, t2 }) = from_js(&message) {
                let arrived = now();
                if !is_fence(t0) {
                    link.borrow_mut().clock.pong(t0, t1, t2, arrived);
                }
                act(link, |link| link.session.pong(t0, arrived));
            }
        }
        Some("error") => {
            link.borrow_mut().refusal = message;
            changed(link);
        }
        Some(topic) => {
            let directory = link.borrow().slots.directory().clone();
            if let (Some(frame), Some(envelope)) = (frame(topic, &message, &directory), envelope(&message)) {
                frames(link, |slots, accept| slots.push_json(frame, envelope, accept));
            }
        }
        None => {}
    }
}

fn said_hello(
    link: &Rc<RefCell<Link>>,
    HelloMessage { epoch, sample_rate, taps }: HelloMessage,
    message: JsValue,
) {
    {
        let mut link = link.borrow_mut();
        link.slots.set_directory(Directory { sample_rate, taps });
        link.objects.clear();
        link.playhead.clear();
        // Kept until then: it says where a server that is gone would be.
        if link.session.status() != Status::Live {
            link.clock.clear();
        }
        // Its fields alone, as a local source has them.
        let _ = Reflect::delete_property(message.unchecked_ref::<Object>(), &"type".into());
        link.hello = message;
    }
    act(link, |link| link.session.hello(epoch, now()));
    changed(link);
}

fn changed(link: &Rc<RefCell<Link>>) {
    let on_change = link.borrow().on_change.clone();
    let _ = on_change.call0(&JsValue::UNDEFINED);
}

fn loss_to_js(loss: &Loss) -> JsValue {
    let made = Made::new();
    made.put("code", loss.code);
    made.put("message", &loss.message);
    made.put("hint", loss.hint);
    made.done()
}
