//! Reports as pictures, by plotters: PNG with letters of a font of our own, so that they need none on the machine, and
//! SVG.

use std::error::Error;
use std::sync::Once;

use engine_core::analysis::report::{Report, SpectrumReport};
use engine_core::units::FLOOR_DB;
use plotters::coord::Shift;
use plotters::prelude::*;
use plotters::style::{FontStyle, register_font};

const SIZE: (u32, u32) = (1_200, 500);
const MEAN: RGBColor = RGBColor(0x1f, 0x6f, 0xb4);
const MAX: RGBColor = RGBColor(0xd6, 0x5f, 0x2c);
const FONT: &str = "sans-serif";

type Result<T = ()> = std::result::Result<T, Box<dyn Error>>;

/// The bytes of a PNG file.
pub(super) fn png(
    draw: impl FnOnce(&DrawingArea<BitMapBackend<'_>, Shift>) -> Result,
) -> std::result::Result<Vec<u8>, String> {
    prepare_font();
    let mut pixels = vec![0; 3 * SIZE.0 as usize * SIZE.1 as usize];
    let drawn = draw(&BitMapBackend::with_buffer(&mut pixels, SIZE).into_drawing_area());
    drawn.and_then(|()| encoded(&pixels)).map_err(|error| error.to_string())
}

/// The bytes of an SVG file.
pub(super) fn svg(
    draw: impl FnOnce(&DrawingArea<SVGBackend<'_>, Shift>) -> Result,
) -> std::result::Result<Vec<u8>, String> {
    prepare_font();
    let mut text = String::new();
    draw(&SVGBackend::with_string(&mut text, SIZE).into_drawing_area()).map_err(|error| error.to_string())?;
    Ok(text.into_bytes())
}

fn encoded(pixels: &[u8]) -> Result<Vec<u8>> {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, SIZE.0, SIZE.1);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(pixels)?;
    writer.finish()?;
    Ok(file)
}

fn prepare_font() {
    static ONCE: Once = Once::new();
    // A font that cannot be read makes drawing fail, which is told.
    ONCE.call_once(|| {
        let _ = register_font(FONT, FontStyle::Normal, dejavu::sans::regular());
    });
}

/// Mean and greatest level over frequency.
pub(super) fn spectrum<B: DrawingBackend>(
    area: &DrawingArea<B, Shift>,
    spectrum: &SpectrumReport,
    title: &str,
) -> Result
where
    B::ErrorType: 'static,
{
    let points = |levels: &[f32]| -> Vec<(f64, f64)> {
        let all = spectrum.frequencies.iter().zip(levels);
        // The scale is logarithmic: 0 Hz has no place on it.
        all.filter(|(hz, _)| **hz > 0.0).map(|(&hz, &db)| (f64::from(hz), f64::from(db))).collect()
    };
    let (mean, max) = (points(&spectrum.mean), points(&spectrum.max));
    let lowest = mean.first().map_or(20.0, |(hz, _)| *hz);
    let highest = mean.last().map_or(20_000.0, |(hz, _)| *hz).max(lowest * 1.1);
    let top = max.iter().fold(0.0, |top: f64, (_, db)| top.max((db / 10.0).ceil() * 10.0));
    area.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(area)
        .caption(title, (FONT, 20))
        .margin(15)
        .x_label_area_size(45)
        .y_label_area_size(60)
        .build_cartesian_2d((lowest..highest).log_scale(), f64::from(FLOOR_DB)..top)?;
    chart
        .configure_mesh()
        .x_desc("Frequency, Hz")
        .y_desc("Level, dBFS")
        .x_label_formatter(&|hz| {
            if *hz < 1_000.0 { format!("{hz:.0}") } else { format!("{}k", hz / 1_000.0) }
        })
        .y_label_formatter(&|db| format!("{db:.0}"))
        .label_style((FONT, 14))
        .axis_desc_style((FONT, 16))
        .draw()?;
    let floor = f64::from(FLOOR_DB);
    chart.draw_series(AreaSeries::new(mean.iter().copied(), floor, MEAN.mix(0.25)))?;
    chart
        .draw_series(LineSeries::new(mean, MEAN.stroke_width(2)))?
        .label("mean")
        .legend(|(x, y)| PathElement::new([(x, y), (x + 20, y)], MEAN.stroke_width(2)));
    chart
        .draw_series(LineSeries::new(max, MAX.stroke_width(1)))?
        .label("greatest")
        .legend(|(x, y)| PathElement::new([(x, y), (x + 20, y)], MAX.stroke_width(1)));
    chart
        .configure_series_labels()
        .background_style(WHITE.mix(0.8))
        .border_style(BLACK.mix(0.3))
        .label_font((FONT, 14))
        .draw()?;
    Ok(area.present()?)
}

/// Minima and maxima over time.
pub(super) fn overview<B: DrawingBackend>(
    area: &DrawingArea<B, Shift>,
    report: &Report,
    title: &str,
) -> Result
where
    B::ErrorType: 'static,
{
    let overview = &report.overview;
    let seconds_per_pair = f64::from(overview.samples_per_pixel) / f64::from(report.sample_rate);
    let (pairs, _) = overview.points.as_chunks::<2>();
    let level = |x: i16| f64::from(x) / 32_768.0;
    let at = |idx: usize| (idx as f64 + 0.5) * seconds_per_pair;
    area.fill(&WHITE)?;
    let mut chart = ChartBuilder::on(area)
        .caption(title, (FONT, 20))
        .margin(15)
        .x_label_area_size(45)
        .y_label_area_size(60)
        .build_cartesian_2d(0.0..report.duration_seconds, -1.0..1.0)?;
    chart
        .configure_mesh()
        .x_desc("Time, s")
        .y_desc("Amplitude, full scale = 1")
        .x_label_formatter(&|seconds| format!("{}", (seconds * 1_000.0).round() / 1_000.0))
        .label_style((FONT, 14))
        .axis_desc_style((FONT, 16))
        .draw()?;
    let upper = pairs.iter().enumerate().map(|(idx, pair)| (at(idx), level(pair[1])));
    let lower = pairs.iter().enumerate().map(|(idx, pair)| (at(idx), level(pair[0])));
    let outline: Vec<(f64, f64)> = upper.clone().chain(lower.rev()).collect();
    chart.draw_series([Polygon::new(outline, MEAN.filled())])?;
    // Where minimum and maximum are the same the polygon has no area.
    chart.draw_series(LineSeries::new(upper, MEAN.stroke_width(1)))?;
    Ok(area.present()?)
}
