//! Shrinks a picture by averaging areas, one row at a time.
//!
//! Rows are fetched when they are needed, so a decoded picture of another pixel layout is never
//! copied whole. Integer weights: the same bytes on every processor.

/// Red, green, blue, eight bits each, row by row from the top.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Picture {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) rgb: Vec<u8>,
}

/// One target pixel: where its source pixels begin and what each weighs.
struct Span {
    first: usize,
    weights: Vec<u32>,
}

/// Weights of a span add up to this.
const WHOLE: usize = 4096;

/// Returns the size that fits `width` × `height` into a square, never larger than it is.
pub(super) fn fit(width: usize, height: usize, side: usize) -> (usize, usize) {
    let longest = width.max(height);
    if longest <= side {
        return (width, height);
    }
    let scaled = |length: usize| ((length * side + longest / 2) / longest).clamp(1, side);
    (scaled(width), scaled(height))
}

/// Returns the picture of `from` size, whose rows `fetch` writes, at `to` size.
///
/// `to` must not be larger than `from` in either direction.
pub(super) fn reduce(
    from: (usize, usize),
    to: (usize, usize),
    mut fetch: impl FnMut(usize, &mut [u8]),
) -> Picture {
    let (width, height) = to;
    let mut source = vec![0u8; from.0 * 3];
    let mut rgb = Vec::with_capacity(width * height * 3);
    if from == to {
        for y in 0..height {
            fetch(y, &mut source);
            rgb.extend_from_slice(&source);
        }
        return Picture { width, height, rgb };
    }
    let across = spans(from.0, width);
    let close = close_spans(&across);
    // A close span always reads three pixels; the last ones read these with weight zero.
    source.resize((from.0 + CLOSE) * 3, 0);
    let row_bytes = from.0 * 3;
    let mut narrowed = vec![0u32; width * 3];
    let mut sums = vec![0u32; width * 3];
    let mut held = usize::MAX;
    for span in spans(from.1, height) {
        sums.fill(0);
        for (y, weight) in (span.first..).zip(span.weights) {
            // The last row of one span is often the first of the next.
            if y != held {
                fetch(y, source.get_mut(..row_bytes).unwrap_or_default());
                match &close {
                    Some(close) => narrow_close(&source, close, &mut narrowed),
                    None => narrow(&source, &across, &mut narrowed),
                }
                held = y;
            }
            for (sum, value) in sums.iter_mut().zip(&narrowed) {
                *sum += value * weight;
            }
        }
        rgb.extend(sums.iter().map(|sum| ((sum + (1 << 19)) >> 20).min(255) as u8));
    }
    Picture { width, height, rgb }
}

/// Shrinks one row; values come out 256 times larger.
fn narrow(source: &[u8], across: &[Span], narrowed: &mut [u32]) {
    for (span, target) in across.iter().zip(narrowed.chunks_exact_mut(3)) {
        let pixels = source.get(span.first * 3..).unwrap_or_default().chunks_exact(3);
        let (mut red, mut green, mut blue) = (0, 0, 0);
        for (pixel, weight) in pixels.zip(&span.weights) {
            if let [r, g, b] = pixel {
                red += u32::from(*r) * weight;
                green += u32::from(*g) * weight;
                blue += u32::from(*b) * weight;
            }
        }
        if let [r, g, b] = target {
            (*r, *g, *b) = (red >> 4, green >> 4, blue >> 4);
        }
    }
}

/// Most pixels of a span when a picture shrinks to no less than half, as photographs do that the
/// decoder has scaled already.
const CLOSE: usize = 3;

/// Returns first byte and weights of each span, if no span has more than [`CLOSE`] pixels.
fn close_spans(spans: &[Span]) -> Option<Vec<(usize, [u32; CLOSE])>> {
    spans
        .iter()
        .map(|span| {
            let mut weights = [0; CLOSE];
            weights.get_mut(..span.weights.len())?.copy_from_slice(&span.weights);
            Some((span.first * 3, weights))
        })
        .collect()
}

/// [`narrow`] without inner loops: four times as fast in a build for size.
fn narrow_close(source: &[u8], spans: &[(usize, [u32; CLOSE])], narrowed: &mut [u32]) {
    for ((first, [u, v, w]), target) in spans.iter().zip(narrowed.chunks_exact_mut(3)) {
        let pixels = source.get(*first..).and_then(|rest| rest.first_chunk::<9>());
        let (Some([r1, g1, b1, r2, g2, b2, r3, g3, b3]), [r, g, b]) = (pixels, target) else {
            continue;
        };
        let sum = |one: &u8, two: &u8, three: &u8| {
            (u32::from(*one) * u + u32::from(*two) * v + u32::from(*three) * w) >> 4
        };
        (*r, *g, *b) = (sum(r1, r2, r3), sum(g1, g2, g3), sum(b1, b2, b3));
    }
}

/// Cuts `from` source pixels into `to` spans that overlap at most in one pixel.
fn spans(from: usize, to: usize) -> Vec<Span> {
    (0..to)
        .map(|index| {
            // In units of 1/to of a source pixel the target covers [index·from, (index+1)·from).
            let (begin, end) = (index * from, (index + 1) * from);
            let first = begin / to;
            let last = (end - 1) / to;
            // Rounding the running total, not each weight, makes every span weigh exactly WHOLE.
            let covered = |edge: usize| (edge.clamp(begin, end) - begin) * WHOLE / from;
            let weights = (first..=last)
                .map(|pixel| covered((pixel + 1) * to) - covered(pixel * to))
                .map(|weight| u32::try_from(weight).unwrap_or_default())
                .collect();
            Span { first, weights }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_span_weighs_the_same_and_stays_inside() {
        for (from, to) in [(1, 1), (7, 3), (1920, 320), (2304, 1920), (2041, 1920), (65535, 320)] {
            let spans = spans(from, to);
            assert_eq!(spans.len(), to);
            for span in spans {
                assert_eq!(span.weights.iter().sum::<u32>(), 4096, "{from} to {to}");
                assert!(span.first + span.weights.len() <= from, "{from} to {to}");
            }
        }
    }

    #[test]
    fn a_plain_color_keeps_its_value_and_halves_meet_in_the_middle() {
        let plain = reduce((50, 40), (20, 15), |_, row| row.fill(255));
        assert!(plain.rgb.iter().all(|value| *value == 255));
        let stripes = reduce((4, 1), (1, 1), |_, row| {
            row.copy_from_slice(&[0, 0, 0, 0, 0, 0, 200, 100, 50, 200, 100, 50]);
        });
        assert_eq!(stripes.rgb, [100, 50, 25]);
    }

    #[test]
    fn the_short_way_gives_what_the_general_way_gives() {
        for (from, to) in [(2304usize, 1920), (2000, 1920), (3, 2), (7, 7), (100, 50)] {
            let source: Vec<u8> = (0..(from + CLOSE) * 3)
                .map(|at| if at < from * 3 { u8::try_from(at * 37 % 256).unwrap() } else { 0 })
                .collect();
            let spans = spans(from, to);
            let (mut general, mut short) = (vec![0; to * 3], vec![0; to * 3]);
            narrow(&source, &spans, &mut general);
            narrow_close(&source, &close_spans(&spans).unwrap(), &mut short);
            assert_eq!(general, short, "{from} to {to}");
        }
        assert!(close_spans(&spans(1920, 320)).is_none());
    }

    #[test]
    fn fitting_never_enlarges_and_never_vanishes() {
        assert_eq!(fit(4608, 1976, 1920), (1920, 823));
        assert_eq!(fit(100, 50, 1920), (100, 50));
        assert_eq!(fit(65535, 1, 1920), (1920, 1));
    }
}
