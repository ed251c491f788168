//! Stream options as query parameters: `?tap=&fps=&fft_size=&scale=&bands=…`.

use axum::http::StatusCode;
use engine_core::protocol::rest::FieldError;
use engine_core::protocol::{Directory, OptionError, StreamOptions, Subscription, Topic};

use crate::api::ApiError;

/// The query of a stream endpoint.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StreamQuery {
    tap: Option<String>,
    fps: Option<u16>,
    options: StreamOptions,
}

impl StreamQuery {
    /// Reads a query string.
    ///
    /// # Errors
    /// Names every parameter that is unknown or has no possible value.
    pub fn parse(query: &str) -> Result<Self, ApiError> {
        let pairs: Vec<(String, String)> = serde_urlencoded::from_str(query)
            .map_err(|error| ApiError::new(StatusCode::BAD_REQUEST, "invalid-option", error.to_string()))?;
        let mut parsed = Self::default();
        let mut options = Vec::new();
        let mut errors = Vec::new();
        for (at, (name, value)) in pairs.iter().cloned().enumerate() {
            if pairs[..at].iter().any(|(before, _)| *before == name) {
                errors.push(FieldError { field: name, message: String::from("is there twice") });
                continue;
            }
            match name.as_str() {
                // The guard's, which has read them before.
                "ticket" | "refusal" => {}
                "tap" => parsed.tap = Some(value),
                "fps" => match value.parse() {
                    Ok(fps) => parsed.fps = Some(fps),
                    Err(_) => errors.push(FieldError {
                        field: name,
                        message: format!("{value:?} is not between 1 and 120"),
                    }),
                },
                _ => {
                    // One at a time, since serde does not say which of several is wrong.
                    let pair = [(name, value)];
                    let alone = serde_urlencoded::to_string(&pair).unwrap_or_default();
                    let [(field, value)] = pair;
                    match serde_urlencoded::from_str::<StreamOptions>(&alone) {
                        Ok(_) => options.push(alone),
                        Err(error) => {
                            errors.push(FieldError { field, message: format!("{value:?}: {error}") })
                        }
                    }
                }
            }
        }
        if errors.is_empty() {
            match serde_urlencoded::from_str(&options.join("&")) {
                Ok(options) => parsed.options = options,
                Err(error) => {
                    errors.push(FieldError { field: String::from("query"), message: error.to_string() })
                }
            }
        }
        if errors.is_empty() { Ok(parsed) } else { Err(invalid(errors)) }
    }

    /// Whether it asks for nothing.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// The stream of a topic that this query asks for.
    ///
    /// # Errors
    /// The tap does not exist, or the topic does not have an option.
    pub fn subscription(&self, topic: Topic, taps: &Directory) -> Result<Subscription, ApiError> {
        let tap = taps.find(self.tap.as_deref().unwrap_or("master"));
        tap.and_then(|tap| Subscription::new(topic, tap, self.fps, &self.options))
            .map_err(|error| refused(&error))
    }
}

/// The problem that an option is.
pub(super) fn refused(error: &OptionError) -> ApiError {
    invalid(vec![FieldError { field: error.field.to_string(), message: error.message.clone() }])
}

fn invalid(errors: Vec<FieldError>) -> ApiError {
    let detail = errors.iter().map(|e| format!("{}: {}", e.field, e.message)).collect::<Vec<_>>().join("; ");
    ApiError::new(StatusCode::BAD_REQUEST, "invalid-option", detail).with_errors(errors)
}

#[cfg(test)]
mod tests {
    use engine_core::units::SampleRate;

    use super::*;

    #[test]
    fn numbers_and_names_are_read() {
        let query =
            StreamQuery::parse("tap=master&fps=60&fft_size=1024&scale=log&bands=64&wide=true").unwrap();
        let taps = Directory::new(SampleRate::DEFAULT, None);
        let subscription = query.subscription(Topic::Spectrum, &taps).unwrap();
        assert_eq!((subscription.fps, subscription.spectrum.fft_size, subscription.wide), (60, 1024, true));
        assert!(query.subscription(Topic::Meters, &taps).is_err(), "meters have no fft_size");
        let query = "attack_ms=10&release_ms=300.5&hold_ms=1000&multi_resolution=true";
        let spectrum =
            StreamQuery::parse(query).unwrap().subscription(Topic::Spectrum, &taps).unwrap().spectrum;
        assert_eq!((spectrum.attack_ms, spectrum.release_ms, spectrum.hold_ms), (10.0, 300.5, 1_000.0));
        assert!(spectrum.multi_resolution);
        assert!(StreamQuery::parse(query).unwrap().subscription(Topic::Waveform, &taps).is_err());
        assert!(StreamQuery::parse("tap=nobody").unwrap().subscription(Topic::Meters, &taps).is_err());
    }

    #[test]
    fn every_wrong_parameter_is_named() {
        let problem =
            StreamQuery::parse("fft_size=big&colour=red&fps=-1&bands=64").unwrap_err().into_problem();
        let fields: Vec<&str> = problem.errors.iter().map(|error| error.field.as_str()).collect();
        assert_eq!(fields, ["fft_size", "colour", "fps"]);
        assert_eq!(problem.status, 400);
        for twice in ["bands=64&bands=65", "fps=30&fps=60", "tap=master&tap=master", "ticket=a&ticket=b"] {
            let problem = StreamQuery::parse(twice).unwrap_err().into_problem();
            let field = twice.split('=').next().unwrap();
            assert!(problem.errors.len() == 1 && problem.errors[0].field == field, "{twice}");
        }
    }
}
