/// A chart of index.html: paths in a box 1000 wide and 300 high that the page stretches as it likes, and the words
/// beside it, which no image holds, so that they keep their size on every screen.
struct TreeChart {
    struct Point {
        let height: Int
        /// Of the block, seconds since 1970.
        let time: UInt32
        /// Below 2^53.
        let value: UInt64

        init(height: Int, time: UInt32, value: UInt64) {
            self.height = height
            self.time = time
            self.value = min(value, 1 << 53)
        }
    }

    enum Form {
        /// From point to point.
        case line
        /// One for every point.
        case bars
    }

    private let points: [Point]
    private let form: Form
    private let label: (UInt64) -> String
    /// From one line of the grid to the next, and how many there are above zero.
    private let step: UInt64
    private let steps: Int

    private static let width = 1000
    private static let depth = 300

    /// - Parameters:
    ///   - points: by height, at least one.
    ///   - label: how a value is written.
    init(_ points: [Point], form: Form, label: @escaping (UInt64) -> String) {
        self.points = points
        self.form = form
        self.label = label
        let most = points.map(\.value).max() ?? 0
        var step: UInt64 = 1
        // 1, 2, 5, 10, 20, 50, …
        while most > 4 * step { step = String(step).first == "2" ? step / 2 * 5 : step * 2 }
        self.step = step
        steps = max(1, Int((most + step - 1) / step))
    }

    private func x(_ height: Int) -> Int {
        guard let first = points.first?.height, let last = points.last?.height, last > first else { return 0 }
        return (height - first) * Self.width / (last - first)
    }

    private func y(_ value: UInt64) -> Int {
        Self.depth - Int(value * UInt64(Self.depth) / (step * UInt64(steps)))
    }

    /// Nothing but a line has one.
    private var line: String? {
        guard form == .line, let first = points.first else { return nil }
        if points.count == 1 { return "M0 \(y(first.value))H\(Self.width)" }
        return "M" + points.map { "\(x($0.height)) \(y($0.value))" }.joined(separator: "L")
    }

    private var area: String {
        if let line { return "\(line)V\(Self.depth)H0z" }
        // A gap of a third between bars; all fit in.
        let room = Self.width / points.count
        let bar = max(1, room * 2 / 3)
        return points.map { point in
            let left = x(point.height) * (Self.width - bar) / Self.width
            return "M\(left) \(Self.depth)V\(y(point.value))h\(bar)V\(Self.depth)z"
        }.joined()
    }

    private var grid: String {
        (0...steps).map { "M0 \($0 * Self.depth / steps)H\(Self.width)" }.joined()
    }

    /// The first point, the last, and the one in the middle between them.
    private var marks: [Point] {
        guard let first = points.first, let last = points.last, first.height < last.height else {
            return points
        }
        let middle = (first.height + last.height) / 2
        let nearest = points.min { abs($0.height - middle) < abs($1.height - middle) }
        guard let nearest, nearest.height != first.height, nearest.height != last.height else {
            return [first, last]
        }
        return [first, nearest, last]
    }

    /// What a template takes.
    var values: [String: Any] {
        [
            "line": line ?? false, "area": area, "grid": grid,
            "valueMarks": (0...steps).reversed().map { label(UInt64($0) * step) },
            "heightMarks": marks.map {
                ["height": String($0.height), "date": PageText.date(Int64($0.time))]
            },
        ]
    }
}
