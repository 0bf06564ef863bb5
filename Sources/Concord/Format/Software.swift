/// The version of this program, as attestations and HTTP requests name it.
public enum Software {
    public static let version = "0.1.0"
    public static let name = "concord/\(version)"
}
