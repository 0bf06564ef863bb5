import Concord

#if canImport(Glibc)
    import Glibc
#else
    import Darwin
#endif

/// `file:` URLs: trees on this machine's disks, read as they are asked for. Nothing is waited for but the disk.
public final class FileTransport: Transport, @unchecked Sendable {
    private var ended: [TransferEnd] = []
    private let start = ContinuousClock.now
    private static let piece = 1 << 20

    public init() {}

    public var now: Duration { ContinuousClock.now - start }

    public func start(_ request: Request, as id: Int) {
        do throws(Failure.Kind) {
            ended.append(TransferEnd(id, .success(try Self.read(request))))
        } catch {
            ended.append(TransferEnd(id, .failure(Failure(url: WebAddress.shown(request.url), kind: error))))
        }
    }

    public func cancel(_ id: Int) { ended.removeAll { $0.id == id } }

    public func received(_ id: Int) -> Int { 0 }

    public func wake() {}

    public func wait(until time: Duration?) -> [TransferEnd] {
        defer { ended.removeAll() }
        return ended
    }

    private static func read(_ request: Request) throws(Failure.Kind) -> Body {
        guard let path = try WebAddress(request.url).filePath else {
            throw .badURL("it is not the URL of a file")
        }
        // A pipe is not waited for.
        let descriptor = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC)
        guard descriptor >= 0 else {
            switch errno {
            case ENOENT, ENOTDIR: throw .notFound
            case EMFILE, ENFILE, ENOMEM:
                throw .local("open \(path.printable): \(String(cString: strerror(errno)))")
            default: throw .network(String(cString: strerror(errno)))
            }
        }
        defer { close(descriptor) }
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { throw .notFound }
        let size = Int(status.st_size)
        let range = request.range ?? 0..<size
        if request.range != nil {
            guard !range.isEmpty, range.lowerBound >= 0, range.upperBound <= size else { throw .wrongRange }
        }
        guard range.count <= request.limit else { throw .tooLarge(limit: request.limit) }
        var body = Body(bytes: [], count: range.count)
        switch request.destination {
        case .memory:
            try copy(descriptor, range) { raw in body.bytes.append(contentsOf: raw) }
        case .file(let part):
            // To go on where an earlier try ended would save nothing.
            let file =
                request.resumed > 0
                ? try PartFile(goingOnWith: part, at: request.resumed) : try PartFile(creating: part)
            if request.resumed > 0 { try file.clear() }
            try copy(descriptor, range) { raw throws(Failure.Kind) in try file.write(raw) }
            try file.keep()
        }
        return body
    }

    private static func copy(
        _ descriptor: CInt, _ range: Range<Int>,
        _ take: (UnsafeRawBufferPointer) throws(Failure.Kind) -> Void
    ) throws(Failure.Kind) {
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: piece, alignment: 16)
        defer { buffer.deallocate() }
        var offset = range.lowerBound
        while offset < range.upperBound {
            let count = pread(
                descriptor, buffer.baseAddress, min(piece, range.upperBound - offset), off_t(offset))
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                throw .network(count == 0 ? "it became shorter" : String(cString: strerror(errno)))
            }
            try take(UnsafeRawBufferPointer(rebasing: buffer[..<count]))
            offset += count
        }
    }
}
