import Testing

@testable import Concord

/// Bitcoin Core's own lists, whole (src/test/data).
@Suite struct AddressVectorTests {
    /// key_io_valid.json, the addresses: chain, address, scriptPubKey, and whether the other case is the same address.
    static let addresses = """
        main 1FsSia9rv4NeEwvJ2GvXrX7LyxYspbN2mo 76a914a31c06bd463e3923bc1aadbde48b16976c08071788ac one
        main 36j4NfKv6Akva9amjWrLG6MuSQym1GuEmm a914373b819a068f32b7a6b38b6b38729647cfde01c287 one
        testnet4 mzK2FFDEhxqHcmrJw1ysqFkVyhUULo45hZ 76a914ce28b26c57472737f5c3561a1761185bd8589a4388ac one
        testnet4 2NC2hEhe28ULKAJkW5MjZ3jtTMJdvXmByvK a914ce0bba75891ff9ec60148d4bd4a09ee2dc5c933187 one
        signet mww4LvqtTMKvmeQvizPz2EQv26xTneWrbg 76a914b4110ba93ac54afc14da3bdd19614774a2d55d2988ac one
        signet 2N1r7aC69VHeE7yQJPDLi9T1PYq4wnwvjuT a9145e5a35ab44b3efaea5129ba22b88ba3e2976614587 one
        regtest n4fajahJrAuKbN7uNsKjLjQkz9Qn5ewJXQ 76a914fdeca3b08e38af53d7c4c60e3ad208ce5066441088ac one
        regtest 2MxFajLApXpYk4VodBSZSt7rw8y4ryABkfA a91436e9f191e0b75036a77f65e2eaa4752443233fbe87 one
        main bc1qvyq0cc6rahyvsazfdje0twl7ez82ndmuac2lhv 00146100fc6343edc8c874496cb2f5bbfec88ea9b77c both
        main bc1qyucykdlhp62tezs0hagqury402qwhk589q80tqs5myh3rxq34nwqhkdhv7 002027304b37f70e94bc8a0fbf500e0c957a80ebda87280ef58214d92f119811acdc both
        main bc1p83n3au0rjylefxq2nc2xh2y4jzz4pm6zxj4mw5pagdjjr2a9f36s6jjnnu 51203c671ef1e3913f94980a9e146ba895908550ef4234abb7503d436521aba54c75 both
        main bc1z2rksukkjr8 520250ed both
        testnet4 tb1qcrh3yqn4nlleplcez2yndq2ry8h9ncg3qh7n54 0014c0ef1202759fff90ff19128936814321ee59e111 both
        testnet4 tb1quyl9ujpgwr2chdzdnnalen48sup245vdfnh2jxhsuq3yx80rrwlq5hqfe4 0020e13e5e482870d58bb44d9cfbfccea78702aad18d4ceea91af0e022431de31bbe both
        testnet4 tb1p35n52jy6xkm4wd905tdy8qtagrn73kqdz73xe4zxpvq9t3fp50aqk3s6gz 51208d2745489a35b75734afa2da43817d40e7e8d80d17a26cd4460b0055c521a3fa both
        testnet4 tb1rgv5m6uvdk3kc7qsuz0c79v88ycr5w4wa 53104329bd718db46d8f021c13f1e2b0e726 both
        signet tb1q3vya2h5435jkugq2few7dmktlrwq4ejmfaw7kr 00148b09d55e958d256e200a4e5de6eecbf8dc0ae65b both
        signet tb1qxkhrl2s6ttrclckldruea0e8anhrehffl8xv7t0pdyrzm08v2hyqy408nf 002035ae3faa1a5ac78fe2df68f99ebf27ecee3cdd29f9cccf2de169062dbcec55c8 both
        signet tb1pae5um27ahn8n73pgexe3kcwlp8dhswpn684h2k2w6t9a7w3eq65qephd5y 5120ee69cdabddbccf3f4428c9b31b61df09db783833d1eb75594ed2cbdf3a3906a8 both
        signet tb1rx9n9g37az8mu236e5jpxdt0m67y4fuq8rhs0ss3djnm0kscfrwvq0ntlyg 532031665447dd11f7c54759a48266adfbd78954f0071de0f8422d94f6fb43091b98 both
        regtest bcrt1qdavt4j2sd7dlhqsavtnfxvzppw6k7qy97tmnu9 00146f58bac9506f9bfb821d62e69330410bb56f0085 both
        regtest bcrt1qan8gntac7z7me2ejt4hpru42ad2f759fmy0m3ejvs98656znv7eqga4uhv 0020ecce89afb8f0bdbcab325d6e11f2aaeb549f50a9d91fb8e64c814faa685367b2 both
        regtest bcrt1pfwxjqvtt4tcxrtdluukfmy2dv7xd2qzdfy6kajv5nwn4yam3wxkq3553uh 51204b8d20316baaf061adbfe72c9d914d678cd5004d49356ec9949ba752777171ac both
        regtest bcrt1sx6p8njlx7h9mc2agz4yg82dzne23050ncq72cneeecez2pst8mahn8xecsf8g6hzx94420 6028368279cbe6f5cbbc2ba8154883a9a29e5517d1f3c03cac4f39ce3225060b3efb799cd9c412746ae2 both
        main 1FjL87pn8ky6Vbavd1ZHeChRXtoxwRGCRd 76a914a19331b7b2627e663e25a7b001e4c0dcc5e21bc788ac one
        main 3BZECeAH8gSKkjrTx8PwMrNQBLG18yHpvf a9146c382dcdf5b284760c8e3fead91f7422cd76aa8787 one
        testnet4 n4YNbYuFdPwFrxSP8sjHFbAhUbLMUiY9jE 76a914fc8f9851f3c1e4719cd0b8e4816dd4e88c72e52888ac one
        testnet4 2NAeQVZayzVFAtgeC3iYJsjpjWDmsDph71A a914bedc797342c03fd7a346c4c7857ca03d467013b687 one
        signet mnCBpkNMJEJLehgdEkzSo2eioniyJMxLpZ 76a914493c455551e48a1423263b62b127b436106a685488ac one
        signet 2N5sNHomeNJDZv67AcFx9ES7FBZY4jx9KDA a9148a776a0f34d56b63e7c595f2b205dbe1c393617a87 one
        regtest mfhE6jAUwjUDNZhaX1PAsDTKfneQF2Nshc 76a91401f15a4cc063dae4f4d56b89bfbc8bcc9ae5387c88ac one
        regtest 2MxNm1VHyVU4RuP3u1c1v5aQLk2dQjwy1Qk a91438456f7c076356abadcc67b92ad777eb20fb9f8887 one
        main bc1qhxt04s5xnpy0kxw4x99n5hpdf5pmtzpqs52es2 0014b996fac2869848fb19d5314b3a5c2d4d03b58820 both
        main bc1qgc9ljrvdf2e0zg9rmmq86xklqwfys7r6wptjlacdgrcdc7sa6ggqu4rrxf 0020460bf90d8d4ab2f120a3dec07d1adf039248787a70572ff70d40f0dc7a1dd210 both
        main bc1pve739yap4uxjvfk0jrey69078u0gasm2nwvv483ec6zkzulgw9xqu4w9fd 5120667d1293a1af0d2626cf90f24d15fe3f1e8ec36a9b98ca9e39c6856173e8714c both
        main bc1zmjtqxkzs89 5202dc96 both
        testnet4 tb1ql4k5ayv7p7w0t0ge7tpntgpkgw53g2payxkszr 0014fd6d4e919e0f9cf5bd19f2c335a03643a914283d both
        testnet4 tb1q9jx3x2qqdpempxrcfgyrkjd5fzeacaqj4ua7cs7fe2sfd2wdaueq5wn26y 00202c8d1328006873b098784a083b49b448b3dc7412af3bec43c9caa096a9cdef32 both
        testnet4 tb1pdswckwd9ym5yf5eyzg8j4jjwnzla8y0tf9cp7aasfkek0u29sz9qfr00yf 51206c1d8b39a526e844d324120f2aca4e98bfd391eb49701f77b04db367f145808a both
        testnet4 tb1r0ecpfxg2udhtc556gqrpwwhk4sw3f0kc 53107e7014990ae36ebc529a4006173af6ac both
        signet tb1q6mwf89hnqhlu8txjgjfs4s7p93ugffn3k062ll 0014d6dc9396f305ffc3acd244930ac3c12c7884a671 both
        signet tb1qafrjalu4d73dql0czau9j6z422434kef235mzljf48ckd5xz3sys09jm97 0020ea472eff956fa2d07df8177859685552ab1adb295469b17e49a9f166d0c28c09 both
        signet tb1pwst9qszjrhuv2e7as0flcq9gm698v6gdxzz9e87p07s8rssdx3zqklm3vf 512074165040521df8c567dd83d3fc00a8de8a76690d30845c9fc17fa071c20d3444 both
        signet tb1r3ss76jtsuxe8c8c8lxsehnpak55ylrgr345pww076l536ahjr6jsydamx3 53208c21ed4970e1b27c1f07f9a19bcc3db5284f8d038d681739fed7e91d76f21ea5 both
        regtest bcrt1q65nhlm4hf2ptg3t264al57p7wjxj2c3s6kyt83 0014d5277feeb74a82b4456ad57bfa783e748d256230 both
        regtest bcrt1qawvc90lpytw3z3k9etdx54l0exq5f5sqfzu5e45kjnl6slwayeeqx2dyac 0020eb9982bfe122dd1146c5cada6a57efc98144d20048b94cd69694ffa87ddd2672 both
        regtest bcrt1p39a4s4vdcw9kqa8w2t0rp7aj8kfxyw7mce5sk5d70x6wnnmpvt7skf2kxy 5120897b58558dc38b6074ee52de30fbb23d92623bdbc6690b51be79b4e9cf6162fd both
        regtest bcrt1s489d9fhmyel0vzfqsrmew4x7r80asuqesm5hgqacy35daflcyufh3j8cgdtflvt99ph05m 6028a9cad2a6fb267ef6092080f79754de19dfd8701986e97403b82468dea7f8271378c8f843569fb165 both
        main 1G9A9j6W8TLuh6dEeVwWeyibK1Uc5MfVFV 76a914a614da54daacdb8861f451a0b7e3c27cdf8a099e88ac one
        main 33GA3ZXbw5o5HeUrBEaqkWXFYYZmdxGRRP a914113ca1afeb49ff3abf176ffa19c2a2b4df19712a87 one
        testnet4 mwgS2HRbjyfYxFnR1nF9VKLvmdgMfFBmGq 76a914b14ce7070b53cb0e4b5b5f6e253e876990aeca2e88ac one
        testnet4 2MwBVrJQ76BdaGD76CTmou8cZzQYLpe4NqU a9142b2c149cde619eae3d7fe995243b76a3417541aa87 one
        signet mfnJ8tEkqKNFE5YaHTXFxyHk2mnDK2fvDh 76a91402e6cd77e649ad8b281271f158fc964ca3f66cb088ac one
        signet 2My83D67ir7K8PPzeT6mE2oth3ZwNTVRS9F a9144074d84d32ff62da7b1b3c61925b934bfeb34b0587 one
        """

    /// key_io_valid.json, the private keys.
    static let privateKeys = """
        5JuW2AMDYu4xVwRG9DZW18VbzQrGcd5RCgb99sS6ehJsNQXu5b9
        L5nJeqKmpHp4P7F8ZYyjwc5a7P4d8EabuGAzfGJk7yC1BJyzNaEd
        92ZdE5HoLafywnTBbzPxbvRmp75pSfzvdU3XaZGh1cToipgdHVh
        cV83kKisF3RQSvXbUCm9ox3kaz5JjEUBWcx8tNydfGJcyeUxuH47
        92QuSnywrhsV7WPZChTgSQA23uSmj9MCEEno1eRBDG9sg8M29cX
        cND53Dhp8eCZqG2ghe8YhSCGesXZ8fE5PGD1khrqNvEi4RBoXhEK
        91mn1wYKEB1zyof1VFm8tMtocZx1oBrKKRCu9GCpgZvPmBLEJjp
        cPisAUdLvqqAr6MYtXnrWvgvyUAwuNyuTvZkDGw6miPhZdaiSDNH
        5HsL2nZuEebU5nM3RxNVQD9GcAnvNMahqQskf4fkqHe54zwd14e
        KwuVvu6hsuEMHrfFWJQV64tRrWX3QzqHH18JuAHYqYV6dqBvNKxd
        921M1RNxghFcsVGqAJksQVbSgx36Yz4u6vebfz1wDujNvgNt93B
        cNEnbfF2fcxmmCLWqMAaq6fxJvVkwMbyU3kCbpQznz4Z1j6TZDGb
        93BcpCMKPmFCuY8bqS4k3HFrhJ1Afxi4uSsEeJFvX86GYW7PC7W
        cUtwbyxoL1owPxUafgH2meEpydeywjhnTYv2mJaFHHchz39AaEgy
        927zPWny2SiNaUmHF5NnGQXQWDwbByfFzXGgu88j91ZoutSosvE
        cRez45VGSp5EXNqm89K3NJJPSKKapJg5Kbw3atxr2337x2gtgYed
        """

    /// key_io_invalid.json.
    static let invalid = """
        x
        1GAdfviErV2Ew95FPtZyikz2qGP3gyCB6Hyu94sedAkPpA523m3fQwps9YKUZkKgQckGPKhRsFR
        37G2kMDLpmWVhimxRdzwNfE8JFvWXnJYnVcXeeGrek2qumdJuK7XArcVVpRtLLjRra3t64BEPF2
        giymtio7u7oqWtmC9YnvAEKkLF3JQpAdkEFkVJKYrVDfaLbhaDpX1ihfF2vZmya1i61fwLPC3YQ
        8iVk9nLM3nYwRuwypjy9NK5rsuZH7BbrQRZ1pgcQmvMnjAgRXD
        cPTVQ1hbo4qdoysf6Jx5GthqucNmdfqt6J2pZRFeXv8Ep7Kmjqud
        cQbR2Ny85XFBzUMx3Ed6HsTLw2pVruSgPvt5AofnBUnhiv86gYeW
        2UB3iG3VJbX2TRrMwm6ssWskgvU9VjFBYSqCzwqkrihCwo7mg4mtS4WuGZgxTKuxf5A3EcotYEymz
        cQe12pqwPR6ExtZKfrKf1q4b3CTh1Qi7MwuvMvzs79nWXDvESfBJ
        tc1qeul5g2xfkvdkrhcfmdursv73ad64jnkjl9c40f
        bt1pq65rzej5glw3ra79gav6fqnx4haa0z257qr3mc8cggkefahmgvyseufhc0
        tb13hty4qmumlwpp6chxjvcyzza4duqgtmxw3xhm3u9ahj4nyhtwz8eq7ynrj4
        bcrt1r2qxpwuge
        bc10uexgzna2dpfk0vjt35srz6a27ps6m0l89jweznt83n2sqn2fx4hvn9ym5af8wut34sfrqhk3
        tb1qum6uh0pt4q253qaf520929737v63w5gf
        bcrt1q888ryfgxpvl0k7vum8zpyar2u2sexvdhkf38ue37yknmqq0ycrwpl3w48y
        bc1qdsuzmn04k2z8vryw8l4dj8m5ygqgnne5n
        tb1qlj8es50nc8j8r8xshrjgzmw5azx89efghmw8ju6zcqla0g6xcnrstsjz7k
        bcrt1qzwmyj0z924g7fzs5yvnrkc43y76RVyr2lh5t4r
        bc1qpu6d26mrulzetu4jqhd7rsunv9aqru26f5c4j8
        tb1qun6d26ufh77ghny6u5u8cwz9da7qwc6k4wkuceae9tth06eqlw0syupl4w
        bcrt1qj7g2jps453kj9htk9cxyyc2nxe69x4kzzmth7v
        bc1p702xksx4z3uqf0u2phllxkfe5cgu0adxptqs0uelx0tqt8e885sqryes2l
        tb1z7gmh0v6pc30z4xum76lmw8w86yswrlmw
        bcrt1sjsrw6nun4h502cr97xmnyyuhkr22q0s6efrgtu
        2UVPFpGYnLHJezFzjUo42our6PMEoozzRdM
        2MygHQjE1U33q3LSC53p69YqFjP8PihumJAF
        KzNbAQ4mexfAxa6RKBzHQqfoTycaeWpv2p
        2jDPrDfAKihCGPbPD9ztY8TswAia4V8Bc6vx
        4VQUNG1hG64QFtaNyQZQWDdwpxB275Pwb3tvyPt2HDxB8Mi2MgH8Tz3AC83YYiz9LydsLNXEZJLHY
        39TKsUQ5QpEL1wowc6GMUqak94ijirPuP69ooV3xsFmiKQX2dau
        2UEJjT3dSdwc8dAo7oedPzznXceXCEsBbDfAvSymqpqDrkZMv7JBEUpLyhkghioYAWC9W4sKysry
        7VmMEkphxCFSV1y659Th4dkk6x6bJS5eQvbt8rzUYKQyd6ACgwQ4vXHtXKFUwP2kW3XULipnHJdZ7
        tc1qdlapns4zkn03juf2k9xwwpct209suj6mgcd9gh
        bt1psa5eptk29c4jc9yumeseat3a0l5e2fpmw635za2p4gpwdnthueysxga9je
        tb13w8c43lykfj3lvm9sgp6dsnfjla3d57cm83seykunf0ltxjc9lt2q4efm4d
        bcrt1rjqr2tdkm
        bc10lyxwnxa70l270e6fcmxr4x7dtgu2yvy7gzkurwxy4zhdvgaqrrn6pfg2flyhqzy5t5se8yu3
        TB1QFDFM763VXVSUNZHQLPWC0Q8FG5LJX6ZN
        bcrt1q60chha7wfwlau4kdr4mlvyeyc8mnnh9dhxk05e0hmrxcuhghefj36uwyha
        bc1gmk9yu
        tb1ly0q7p
        bcrt1qdwttaw38uf42wxw40kwk3u8nguyTQH3hx6jmqp
        bc1qtsvlht6730n04f2mpaj5vv8hrledn5n5ug8c79
        tb1dclvmr
        bcrt1q3fqvctqu48wsvggrt09vj0yk2gzzcscdp4h98u
        bc1prklpq7tjcawg89cmwwqr3u5apwav36xa4zz56ady7crsllm6mpnqts7p86
        tb1zkm58zyhxz3ffkfgsyprflg543slsl4c4
        bcrt1snzr5kaypnfhpnjanrhd20fhqcjxm3hfh7dw9fu
        2GgnYKqBGuA2Mm5GnrPsMTZR81xPhNtgMYoFUZngZGiobhCuUpCaTriUHRcgFreEekNdPAR17q8d
        AZEah8d1EK362okRBS66e8SvdtYkrE8tsX
        gep8xr77FyPW6zYP15RiV9W8nL6w2HyHB16cUDakfyDceMA6ZzUdhJjk2LPuLYHnLkBqkRTTi6z
        2NDNP7GY59tTJPZTpbkprhM9SR99Nn5rUs7
        2Csgzy2T287YAjeU5tFtt1nPshBZAUFQi4WtgaWyZGKSBNnKXHy2Tmxo8QK4Mfdds977ShcDWC5o
        Kwjk3Vy6sdXMQDGWJzaWmqFxUNtWZCX1q4F4Kpt8jNNUoWJUUaTY
        Svj8kk98bAS9V4L2crmxakbhmnPm3cJ1tJ4Je4yVzDreU8eSTFURS1SPYv5oWEQD8Q9VBDvx5uF
        KNYsv6v9GtkGeD4WdQnBEJCrPKQm91PTxAbCfXr66LEd4JDmhPWC
        2UJ2H2xvAeXmFKfQwMyDoSdQTTPFMNCT3SsoUafBWKzoGP3NsUK1buEgQZG38viyD53jgMdpqfT7
        6aLMfayKF4TW4ecn5SEc8FExpyJA2peKxYRGZhes6tQ4NTTzuGy
        7VP4FmcebU2thJns9MnXde7LWfuqR5vMizrAuUoq2GcJjzTyA4RHFcPVdZL8PLg1SbpSFdJrvLXoY5
        tc1q5qdvt99uc92jyz663dtdpfpv6nr67ahmgwcpq2
        bt1peu3ppd7x796sjjenp09r8cs22rhylqm9lhggk72qp8q22vzft0wq2a0x6j
        tb1323z3lnz7dl3kd0nsuh6xy4he9almzl67anxgg3xdzkaxc9rwntlqdhdzd7
        bcrt1r2gc42sky
        bc10fd889x4hd54tqu2ewg9t4hhft2wl7m6x50av4uswzw46xe6as0xmltfg7vrjfkvm459vld7w
        TB1QZY7V0F2AT3308YGGNGN66ULJTCN3RY6F
        bcrt1qjg3cwht92znyw0l4r5rtctmls337nrc7g0ry9drjxmlecjd3atl3fake7c
        bc1qmgf8xt8xkecl79k04mma3lz34gqep7hg4
        TB1Q3F9WGNXE9ZMTTMDN5VKVKHYZ8Y0LCV72YV7V5LSXTJXEYHNHEHASLYL0TZ
        """

    /// base58_encode_decode.json: bytes and text, `-` for none.
    static let base58 = """
        - -
        61 2g
        626262 a3gV
        636363 aPEr
        73696d706c792061206c6f6e6720737472696e67 2cFupjhnEsSn59qHXstmK2ffpLv2
        00eb15231dfceb60925886b67d065299925915aeb172c06647 1NS17iag9jJgTHD1VXjvLCEnZuQ3rJDE9L
        516b6fcd0f ABnLTmg
        bf4f89001e670274dd 3SEo3LWLoPntC
        572e4794 3EFU7m
        ecac89cad93923c02321 EJDM8drfXA6uyA
        10c8511e Rt5zm
        00000000000000000000 1111111111
        00000000000000000000000000000000000000000000000000000000000000000000000000000000 1111111111111111111111111111111111111111
        00000000000000000000000000000000000000000000000000000000000000000000000000000001 1111111111111111111111111111111111111112
        0000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000000ec39d04c37e71e5d591881f6 111111111111111111111111111111111111111111111111111111111111111111111111111111111111115TYzLYH1udmLdzCLM
        000111d38e5fc9071ffcd20b4a763cc9ae4f252bb4e48fd66a835e252ada93ff480d6dd43dc62a641155a5 123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz
        000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f404142434445464748494a4b4c4d4e4f505152535455565758595a5b5c5d5e5f606162636465666768696a6b6c6d6e6f707172737475767778797a7b7c7d7e7f808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9fa0a1a2a3a4a5a6a7a8a9aaabacadaeafb0b1b2b3b4b5b6b7b8b9babbbcbdbebfc0c1c2c3c4c5c6c7c8c9cacbcccdcecfd0d1d2d3d4d5d6d7d8d9dadbdcdddedfe0e1e2e3e4e5e6e7e8e9eaebecedeeeff0f1f2f3f4f5f6f7f8f9fafbfcfdfeff 1cWB5HCBdLjAuqGGReWE3R3CguuwSjw6RHn39s2yuDRTS5NsBgNiFpWgAnEx6VQi8csexkgYw3mdYrMHr8x9i7aEwP8kZ7vccXWqKDvGv3u1GxFKPuAkn8JCPPGDMf3vMMnbzm6Nh9zh1gcNsMvH3ZNLmP5fSG6DGbbi2tuwMWPthr4boWwCxf7ewSgNQeacyozhKDDQQ1qL5fQFUW52QKUZDZ5fw3KXNQJMcNTcaB723LchjeKun7MuGW5qyCBZYzA1KjofN1gYBV3NqyhQJ3Ns746GNuf9N2pQPmHz4xpnSrrfCvy6TVVz5d4PdrjeshsWQwpZsZGzvbdAdN8MKV5QsBDY
        271f359e zzzzy
        271f359f zzzzz
        271f35a0 211111
        271f35a1 211112
        """

    @Test func addressesAndTheirScripts() throws {
        let lines = Self.addresses.split(separator: "\n")
        #expect(lines.count == 54)
        for line in lines {
            let words = line.split(separator: " ").map(String.init)
            let network = try #require(Network(rawValue: words[0]))
            #expect(try Address(words[1], on: network).script.hex == words[2], "\(line)")
            #expect(Address.text(for: try #require([UInt8](hex: words[2])), on: network) == words[1])
            if words[3] == "both" {
                #expect(try Address(words[1].uppercased(), on: network).script.hex == words[2], "\(line)")
            }
        }
    }

    /// They are recognised, and no part of them is in what is said of them.
    @Test func privateKeysAreRefused() throws {
        let keys = Self.privateKeys.split(separator: "\n").map(String.init)
        #expect(keys.count == 16)
        for key in keys {
            #expect(throws: AddressError.privateKey) { try Address(key) }
            let error = #expect(throws: TypedScriptError.self) { try TypedScript(key, on: .main) }
            guard case .secret(.wif) = error else {
                Issue.record("\(key)")
                continue
            }
            #expect(error?.description.contains(key.prefix(6)) == false)
        }
    }

    @Test func everythingElseIsRefused() {
        let lines = Self.invalid.split(separator: "\n").map(String.init)
        #expect(lines.count == 69)
        for line in lines {
            for network in Network.allCases {
                #expect(throws: AddressError.self, "\(line)") { try Address(line, on: network) }
                #expect(throws: TypedScriptError.self, "\(line)") { try TypedScript(line, on: network) }
            }
        }
    }

    @Test func base58WithoutAChecksum() throws {
        for line in Self.base58.split(separator: "\n") {
            let words = line.split(separator: " ").map { $0 == "-" ? "" : String($0) }
            let bytes = try #require([UInt8](hex: words[0]))
            #expect(Base58.encode(unchecked: bytes) == words[1])
            #expect(try Base58.decode(unchecked: words[1]) == bytes)
        }
    }
}
